package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"timebank/api/gen"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/sheet"
)

// ImportHours records the rows of a sheet. Each row's key comes from its content, so the same file again
// records nothing new, and one that was cut off half-way is finished by sending it again.
func (s *Server) ImportHours(ctx context.Context, r gen.ImportHoursRequestObject) (gen.ImportHoursResponseObject, error) {
	by := callOf(ctx).by
	if err := by.May(ledger.RoleOrganization); err != nil {
		return nil, err
	}
	file, profile, err := readUpload(r.Body)
	if err != nil {
		return nil, err
	}
	p, err := sheet.ParseProfile(profile)
	if err != nil {
		return nil, invalid("profile_malformed", err.Error())
	}
	rows, err := sheet.Read(file, p)
	if err != nil {
		return nil, invalid("sheet_malformed", err.Error())
	}
	own, err := s.book.Organization(ctx, by, by.Subject)
	if err != nil {
		return nil, err
	}
	lines, err := s.importRows(ctx, by, own, rows, deref(r.Params.DryRun))
	if err != nil {
		return nil, err
	}
	if r.Params.Report != nil {
		var report bytes.Buffer
		if err := sheet.WriteReport(&report, lines); err != nil {
			return nil, err
		}
		return plain{http.StatusOK, "text/csv; charset=utf-8; header=present", report.String()}, nil
	}
	return written{status: http.StatusOK, body: importResult(lines)}, nil
}

// profileBytesMax bounds the profile part of an upload, a little above what a profile may have.
const profileBytesMax = 128 << 10

func readUpload(parts *multipart.Reader) (file, profile []byte, err error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, bodyError(err, importBytesMax)
		}
		into, most := &file, int64(importBytesMax)
		switch part.FormName() {
		case "file":
		case "profile":
			into, most = &profile, profileBytesMax
		default:
			return nil, nil, invalid("field_unknown", fmt.Sprintf("there is no part %.40q here: send file and profile", part.FormName()))
		}
		if *into != nil {
			return nil, nil, invalid("field_repeated", part.FormName()+" is sent twice")
		}
		if *into, err = io.ReadAll(http.MaxBytesReader(nil, part, most)); err != nil {
			return nil, nil, bodyError(err, most)
		}
	}
	if file == nil || profile == nil {
		return nil, nil, invalid("field_missing", "send two parts: file, the sheet, and profile, how to read it")
	}
	return file, profile, nil
}

// importRows posts the rows that can be read, some hundreds at a time.
func (s *Server) importRows(ctx context.Context, by ledger.Actor, own book.Organization, rows []sheet.Row, dryRun bool) ([]sheet.Line, error) {
	lines := make([]sheet.Line, len(rows))
	var items []batchItem
	var at []int
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.postItems(ctx, by, items, dryRun)
		for j, item := range items {
			itemLine(&lines[at[j]], item)
		}
		items, at = items[:0], at[:0]
		return nil
	}
	for i, row := range rows {
		line, ready := sheet.Unposted(row, own.ExternalID)
		if lines[i] = line; !ready {
			continue
		}
		raw, err := row.JSON()
		if err != nil {
			return nil, fmt.Errorf("writing row %d: %w", row.Number, err)
		}
		items, at = append(items, s.batchItem(raw, row.Key)), append(at, i)
		if len(items) == book.ItemsMax/2 {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return lines, flush()
}

// itemLine tells in the report what became of a posted row.
func itemLine(l *sheet.Line, item batchItem) {
	if item.err != nil {
		p := problemOf(item.err, "")
		l.Outcome, l.Code, l.Reason, l.Rule = sheet.Refused, p.Code, deref(p.Detail), deref(p.Rule)
		if p.Status >= http.StatusInternalServerError {
			l.Outcome = sheet.Failed
		}
		return
	}
	seq := item.receipt.Seq
	l.Outcome, l.Entry = sheet.Recorded, &seq
	if item.receipt.Replayed {
		l.Outcome = sheet.Repeated
	}
}

func importResult(lines []sheet.Line) gen.ImportResult {
	var t sheet.Totals
	g := gen.ImportResult{Lines: make([]gen.ImportRow, len(lines)), Minutes: map[string]int64{}, RefusedByCode: map[string]int{}}
	for i, l := range lines {
		t.Add(l)
		g.Lines[i] = gen.ImportRow{Row: l.Row, Outcome: gen.ImportRowOutcome(l.Outcome), Entry: seqPointer(l.Entry), Code: optional(l.Code),
			Rule: optional(l.Rule), Reason: optional(l.Reason), Minutes: int64(l.Minutes)}
	}
	g.Rows, g.Recorded, g.Repeated, g.Refused = t.Rows, t.Count[sheet.Recorded], t.Count[sheet.Repeated], t.Count[sheet.Refused]
	g.Ignored, g.Failed = t.Count[sheet.Ignored], t.Count[sheet.Failed]
	for outcome, m := range t.Minutes {
		g.Minutes[string(outcome)] = int64(m)
	}
	for code, n := range t.Codes {
		g.RefusedByCode[code] = n
	}
	return g
}
