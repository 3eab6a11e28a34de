package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"timebank/api/gen"
	"timebank/api/web"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/policy"
)

// days reads the range of a statement.
func (s *Server) days(ctx context.Context, from, to gen.Date, size *int64, known *time.Time) (r book.StatementRange, err error) {
	if r.From, err = date("/from", from); err != nil {
		return r, err
	}
	if r.To, err = date("/to", to); err != nil {
		return r, err
	}
	r.LogSize, err = s.knownAt(ctx, size, known)
	return r, err
}

// told is a statement as JSON or CSV. It stands for the generated answers, which differ in their names.
type told struct {
	statement book.Statement
	csv       bool
}

func (t told) write(w http.ResponseWriter) error {
	if t.csv {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		return t.statement.CSV(w)
	}
	st := t.statement
	g := gen.Statement{VolunteerId: optional(st.Volunteer), Number: st.Number.String(), Account: string(st.Purpose), Unit: gen.Unit(st.Unit), From: st.From.String(),
		To: st.To.String(), AsOfLogSize: st.LogSize, Opening: int64(st.Opening), Closing: int64(st.Closing), Lines: []gen.StatementLine{}}
	for _, l := range st.Lines {
		g.Lines = append(g.Lines, gen.StatementLine{Seq: int64(l.Seq), Kind: gen.EntryKind(l.Kind), Effective: l.Effective.String(),
			RecordedAt: instant(l.Recorded), Minutes: int64(l.Minutes), Balance: int64(l.Balance)})
	}
	return written{status: http.StatusOK, body: g}.write(w)
}

func (t told) VisitGetStatementResponse(w http.ResponseWriter) error        { return t.write(w) }
func (t told) VisitGetAccountStatementResponse(w http.ResponseWriter) error { return t.write(w) }

// GetStatement reads a statement of a volunteer's account.
func (s *Server) GetStatement(ctx context.Context, r gen.GetStatementRequestObject) (gen.GetStatementResponseObject, error) {
	q := r.Params
	days, err := s.days(ctx, q.From, q.To, q.AtLogSize, q.KnownAt)
	if err != nil {
		return nil, err
	}
	st, err := s.book.Statement(ctx, callOf(ctx).by, r.Id, ledger.Purpose(q.Account), days)
	return told{st, deref(q.Format) == "csv"}, err
}

// GetAccountStatement reads a statement of any account.
func (s *Server) GetAccountStatement(ctx context.Context, r gen.GetAccountStatementRequestObject) (gen.GetAccountStatementResponseObject, error) {
	q := r.Params
	id, err := ledger.ParseAccountID(r.Account)
	if err != nil {
		return nil, ledger.ErrNotFound
	}
	days, err := s.days(ctx, q.From, q.To, q.AtLogSize, q.KnownAt)
	if err != nil {
		return nil, err
	}
	st, err := s.book.AccountStatement(ctx, callOf(ctx).by, id, days)
	return told{st, deref(q.Format) == "csv"}, err
}

// statementPage is what the page of a statement shows.
type statementPage struct {
	Lang, Footer, Days, Opening, Closing string
	W                                    statementWords
	Lines                                []statementRow
}

type statementRow struct{ Date, Kind, Seq, Minutes, Balance string }

type statementWords struct{ Title, Date, What, Minutes, Balance, Opening, Closing string }

var statementWordsOf = map[policy.Lang]statementWords{
	policy.English: {"Statement", "Date", "What", "Time", "Balance", "Balance before", "Balance after"},
	policy.Chinese: {"对账单", "日期", "事项", "时间", "余额", "期初余额", "期末余额"},
}

// accountWords are the accounts and kinds of entry as people call them.
var accountWords = map[policy.Lang]map[string]string{
	policy.English: {"served": "time served", "care": "care credit", "care-held": "care credit held", "care-owed": "care credit owed", "youth": "youth service record",
		"hold-expired": "hold ended"},
	policy.Chinese: {"served": "服务时间", "care": "养老服务时间", "care-held": "已预留时间", "care-owed": "待归还时间", "youth": "青年服务记录",
		"hours": "服务记录", "correction": "更正", "hold": "预约预留", "confirm": "服务完成", "cancel": "取消预约", "hold-expired": "预留到期", "transfer": "转赠",
		"donation": "捐赠", "grant": "公益池发放", "expiry": "到期"},
}

func inWords(lang policy.Lang, word string) string {
	if words := accountWords[lang][word]; words != "" {
		return words
	}
	return word
}

// GetStatementPage gives a statement as a page to print.
func (s *Server) GetStatementPage(ctx context.Context, r gen.GetStatementPageRequestObject) (gen.GetStatementPageResponseObject, error) {
	q := r.Params
	days, err := s.days(ctx, q.From, q.To, q.AtLogSize, q.KnownAt)
	if err != nil {
		return nil, err
	}
	st, err := s.book.Statement(ctx, callOf(ctx).by, r.Id, ledger.Purpose(q.Account), days)
	if err != nil {
		return nil, err
	}
	lang := policy.Chinese
	if deref(q.Lang) == "en" {
		lang = policy.English
	}
	p := statementPage{Lang: string(lang), W: statementWordsOf[lang], Days: fmt.Sprintf("%s · %s – %s", inWords(lang, string(st.Purpose)), st.From, st.To),
		Opening: minutesIn(lang, st.Opening), Closing: minutesIn(lang, st.Closing),
		Footer: fmt.Sprintf("Read from the log of %s at %d entries; # is the number of the entry in it.", s.book.Origin(), st.LogSize)}
	if lang == policy.Chinese {
		p.Footer = fmt.Sprintf("数据取自 %s 的日志，截至第 %d 条；# 为日志条目编号。", s.book.Origin(), st.LogSize)
	}
	for _, l := range st.Lines {
		p.Lines = append(p.Lines, statementRow{l.Effective.String(), inWords(lang, string(l.Kind)), fmt.Sprintf("#%d", l.Seq), minutesIn(lang, l.Minutes), minutesIn(lang, l.Balance)})
	}
	var page strings.Builder
	if err := web.Statement.Execute(&page, p); err != nil {
		return nil, fmt.Errorf("writing the page of a statement: %w", err)
	}
	return plain{http.StatusOK, "text/html; charset=utf-8", page.String()}, nil
}
