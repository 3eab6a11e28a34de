package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"timebank/api/gen"
	"timebank/ledger/book"
	"timebank/ledger/statement"
)

// exportsMax is how many may read the whole ledger out at once.
const exportsMax = 2

// exported answers with a stream.
type exported struct {
	mediaType string
	size      int64
	write     func(w http.ResponseWriter) error
}

func (e exported) VisitExportLedgerResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", e.mediaType)
	w.Header().Set("Log-Size", strconv.FormatInt(e.size, 10))
	w.WriteHeader(http.StatusOK)
	if err := e.write(w); err != nil {
		slog.Error("exporting", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// ExportLedger streams a part of the log, or all of it.
func (s *Server) ExportLedger(ctx context.Context, r gen.ExportLedgerRequestObject) (gen.ExportLedgerResponseObject, error) {
	by := callOf(ctx).by
	format, _ := statement.FormatOf(string(r.Params.Format)) // the contract knows these alone
	part := book.ExportRange{From: deref(r.Params.From), Size: r.Params.AtLogSize}
	size, err := s.book.CheckExport(ctx, by, format, part)
	if err != nil {
		return nil, err
	}
	part.Size = &size
	return exported{format.MediaType, size, func(w http.ResponseWriter) error {
		return s.book.Export(ctx, by, format, part, w, nil)
	}}, nil
}
