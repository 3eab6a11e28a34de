package api

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/translog"
)

// served reads tiles over HTTP, for the reader of tiles of the Go module.
type served struct {
	t testing.TB
	w *town
}

func (served) Height() int { return 8 }

func (s served) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		answer, data := s.w.ask(s.t, "", "GET", "/v1/"+strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "")
		full := answer.Header.Get("Cache-Control") == keepByAll
		if answer.StatusCode != http.StatusOK || full != (tile.W == translog.TileWidth) {
			return nil, fmt.Errorf("%s answers %d, %s", tile.Path(), answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
		all = append(all, []byte(data))
	}
	return all, nil
}

func (served) SaveTiles([]tlog.Tile, [][]byte) {}

// grown serves a book of some hundred entries, all of them signed.
func grown(t *testing.T) (*town, translog.Checkpoint) {
	t.Helper()
	w := newTown(t)
	station := ledger.Actor{Client: w.names["client_station"], Role: ledger.RoleOrganization, Subject: w.names["station_org"]}
	var claims []book.HoursRequest
	for n := range 300 {
		c := booktest.Served(t, w.names["li"], "2026-03-05", 1)
		c.Activity = fmt.Sprint("activity ", n)
		claims = append(claims, book.HoursRequest{Key: w.Key(), Claim: c})
	}
	for _, r := range w.PostHours(t.Context(), station, claims) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	if err := w.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, signed := w.ask(t, "", "GET", "/v1/checkpoint", "")
	verifier, err := note.NewVerifier(w.LogVerifier())
	if err != nil {
		t.Fatal(err)
	}
	c, err := translog.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil || c.Size < 300 {
		t.Fatalf("a checkpoint of size %d: %v", c.Size, err)
	}
	return w, c
}

// Whoever reads the tiles comes to the signed root, and the leaves of the bundles are those of the tiles.
func TestTilesGiveTheSignedLog(t *testing.T) {
	t.Parallel()
	w, c := grown(t)
	reader := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: tlog.Hash(c.Root)}, served{t, w})
	root, err := tlog.TreeHash(c.Size, reader)
	if err != nil || root != tlog.Hash(c.Root) {
		t.Fatalf("the tiles give root %v, %v, the checkpoint says %v", root, err, c.Root)
	}
	seq := int64(0)
	for _, path := range []string{"000", fmt.Sprintf("001.p/%d", c.Size-256)} {
		answer, data := w.ask(t, "auditor", "GET", "/v1/tile/entries/"+path, "")
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("the bundle %s answers %d", path, answer.StatusCode)
		}
		for rest := []byte(data); len(rest) > 0; seq++ {
			n := binary.BigEndian.Uint16(rest)
			hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, seq)})
			if err != nil || hashes[0] != tlog.RecordHash(rest[2:2+n]) {
				t.Fatalf("leaf %d of the bundle is not that of the tile: %v", seq, err)
			}
			rest = rest[2+n:]
		}
	}
	if seq != c.Size {
		t.Errorf("the bundles have %d leaves, the log %d", seq, c.Size)
	}
}

// Nothing beyond what is signed is served, nothing under a name that is none, and leaves to auditors alone.
func TestTilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	w, c := grown(t)
	for _, tt := range []struct {
		who, path string
		status    int
	}{
		{"", fmt.Sprintf("0/001.p/%d", c.Size-255), 404}, {"", "0/001", 404}, {"", "0/x001/000", 404}, {"", "1/000.p/2", 404}, {"", "0/001.p/0", 404},
		{"", "0/000.p/256", 404}, {"", "0/1", 404}, {"", "9/000", 404}, {"", "0/00a", 404}, {"", "1/000.p/1", 200},
		{"", "entries/000", 401}, {"station", "entries/000", 403}, {"li", "entries/000", 403}, {"auditor", "entries/000", 200},
		{"auditor", fmt.Sprintf("entries/001.p/%d", c.Size-255), 404},
	} {
		if answer, _ := w.ask(t, tt.who, "GET", "/v1/tile/"+tt.path, ""); answer.StatusCode != tt.status {
			t.Errorf("%s of %q answers %d, want %d", tt.path, tt.who, answer.StatusCode, tt.status)
		}
	}
}
