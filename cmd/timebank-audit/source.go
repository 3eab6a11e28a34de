package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// errUnreachable says that something could not be read: it proves nothing, for or against.
var errUnreachable = errors.New("could not be read")

// source is a log as it is served, by C2SP tlog-tiles below a prefix.
type source struct {
	ctx    context.Context //nolint:containedctx // tlog's reader of tiles takes none, and a source lives as long as one check
	prefix string
	token  string
	http   *http.Client
	failed error // why a tile could not be read; the reader of tiles hides it in its own words
}

const (
	answerBytesMax = 32 << 20 // a full bundle of the longest leaves has 16 MiB
	answerTimeout  = time.Minute
)

func newSource(ctx context.Context, prefix, token string) *source {
	return &source{ctx: ctx, prefix: strings.TrimSuffix(prefix, "/"), token: token, http: &http.Client{Timeout: answerTimeout}}
}

func (s *source) get(path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.prefix+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errUnreachable, err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errUnreachable, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %w", path, errUnreachable, err)
	case answer.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %w: %s", path, errUnreachable, answer.Status)
	case len(data) > answerBytesMax:
		return nil, fmt.Errorf("%s: %w: it is larger than any tile", path, errUnreachable)
	}
	return data, nil
}

// why gives an error of a check with what could not be read, when that is why: it proves nothing then.
func (s *source) why(err error) error {
	if err != nil && s.failed != nil && !errors.Is(err, errUnreachable) {
		return fmt.Errorf("%w (%w)", s.failed, err)
	}
	return err
}

// Height is that of C2SP's tiles.
func (*source) Height() int { return 8 }

// ReadTiles reads tiles for [tlog.TileHashReader], which checks each against the tree.
func (s *source) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, t := range tiles {
		var err error
		if all[i], err = s.get("/" + strings.Replace(t.Path(), "tile/8/", "tile/", 1)); err != nil {
			s.failed = err
			return nil, err
		}
	}
	return all, nil
}

// SaveTiles keeps nothing: every check reads anew what is served.
func (*source) SaveTiles([]tlog.Tile, [][]byte) {}

// bundle reads the leaves from first on, up to a width of them.
func (s *source) bundle(first int64, width int) ([][]byte, error) {
	t := tlog.Tile{H: 8, L: 0, N: first / bundleWidth, W: width}
	data, err := s.get("/" + strings.Replace(t.Path(), "tile/8/0/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("the bundle of leaf %d is cut off", first)
		}
		n := int(binary.BigEndian.Uint16(data))
		leaves, data = append(leaves, data[2:2+n]), data[2+n:]
	}
	if len(leaves) != width {
		return nil, fmt.Errorf("the bundle of leaf %d has %d leaves, not %d", first, len(leaves), width)
	}
	return leaves, nil
}
