package api

import (
	"context"
	"net/http"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/translog"
)

// tile answers with a tile of the log.
type tile struct {
	data []byte
	keep string // how long it may be kept; empty for what is soon asked for anew
}

// For ever: a full tile never changes. Leaves stay with whoever was allowed to read them.
const (
	keepByAll    = "public, max-age=31536000, immutable"
	keepByReader = "private, max-age=31536000, immutable"
)

func (t tile) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	if t.keep != "" {
		w.Header().Set("Cache-Control", t.keep)
	}
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(t.data)
	return err
}

func (t tile) VisitGetTile1Response(w http.ResponseWriter) error    { return t.write(w) }
func (t tile) VisitGetTile2Response(w http.ResponseWriter) error    { return t.write(w) }
func (t tile) VisitGetTile3Response(w http.ResponseWriter) error    { return t.write(w) }
func (t tile) VisitGetTile4Response(w http.ResponseWriter) error    { return t.write(w) }
func (t tile) VisitGetEntries1Response(w http.ResponseWriter) error { return t.write(w) }
func (t tile) VisitGetEntries2Response(w http.ResponseWriter) error { return t.write(w) }
func (t tile) VisitGetEntries3Response(w http.ResponseWriter) error { return t.write(w) }
func (t tile) VisitGetEntries4Response(w http.ResponseWriter) error { return t.write(w) }

func (s *Server) hashTile(ctx context.Context, level string, parts ...string) (tile, error) {
	t, err := translog.ParseTile(level, parts...)
	if err != nil {
		return tile{}, ledger.ErrNotFound
	}
	data, err := s.book.HashTile(ctx, t)
	return kept(t, data, keepByAll), err
}

func kept(t translog.Tile, data []byte, keep string) tile {
	if t.Width < translog.TileWidth {
		keep = ""
	}
	return tile{data, keep}
}

func (s *Server) entryBundle(ctx context.Context, parts ...string) (tile, error) {
	by := callOf(ctx).by
	if err := by.May(ledger.RoleAuditor); err != nil {
		return tile{}, err
	}
	t, err := translog.ParseTile("0", parts...)
	if err != nil {
		return tile{}, ledger.ErrNotFound
	}
	data, err := s.book.EntryBundle(ctx, by, t)
	return kept(t, data, keepByReader), err
}

// A tile's name has one to four parts; the contract has a route for each.

// GetTile1 gives a tile of hashes.
func (s *Server) GetTile1(ctx context.Context, r gen.GetTile1RequestObject) (gen.GetTile1ResponseObject, error) {
	return s.hashTile(ctx, r.Level, r.A)
}

// GetTile2 gives a tile of hashes.
func (s *Server) GetTile2(ctx context.Context, r gen.GetTile2RequestObject) (gen.GetTile2ResponseObject, error) {
	return s.hashTile(ctx, r.Level, r.A, r.B)
}

// GetTile3 gives a tile of hashes.
func (s *Server) GetTile3(ctx context.Context, r gen.GetTile3RequestObject) (gen.GetTile3ResponseObject, error) {
	return s.hashTile(ctx, r.Level, r.A, r.B, r.C)
}

// GetTile4 gives a tile of hashes.
func (s *Server) GetTile4(ctx context.Context, r gen.GetTile4RequestObject) (gen.GetTile4ResponseObject, error) {
	return s.hashTile(ctx, r.Level, r.A, r.B, r.C, r.D)
}

// GetEntries1 gives a bundle of leaves.
func (s *Server) GetEntries1(ctx context.Context, r gen.GetEntries1RequestObject) (gen.GetEntries1ResponseObject, error) {
	return s.entryBundle(ctx, r.A)
}

// GetEntries2 gives a bundle of leaves.
func (s *Server) GetEntries2(ctx context.Context, r gen.GetEntries2RequestObject) (gen.GetEntries2ResponseObject, error) {
	return s.entryBundle(ctx, r.A, r.B)
}

// GetEntries3 gives a bundle of leaves.
func (s *Server) GetEntries3(ctx context.Context, r gen.GetEntries3RequestObject) (gen.GetEntries3ResponseObject, error) {
	return s.entryBundle(ctx, r.A, r.B, r.C)
}

// GetEntries4 gives a bundle of leaves.
func (s *Server) GetEntries4(ctx context.Context, r gen.GetEntries4RequestObject) (gen.GetEntries4ResponseObject, error) {
	return s.entryBundle(ctx, r.A, r.B, r.C, r.D)
}
