package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
	"timebank/ledger/sheet"
)

// loadKind names what the clients of the load generator do.
type loadKind string

const (
	loadClaims      loadKind = "claims"
	loadBatches     loadKind = "batches"
	loadImport      loadKind = "import"
	loadPairsSpread loadKind = "pairs-spread"
	loadPairsHot    loadKind = "pairs-hot"
	loadBalance     loadKind = "balance"
	loadAsOf        loadKind = "as-of"
	loadStatement   loadKind = "statement"
	loadList        loadKind = "list"
	loadProof       loadKind = "proof"
)

// loads say how each is done once, and what it came to: claims, rows, pairs or answers.
var loads = map[loadKind]func(l *loader, w *wire, n int) (int64, error){
	loadClaims:  (*loader).claim,
	loadBatches: (*loader).batch,
	loadImport:  (*loader).importFile,
	loadPairsSpread: func(l *loader, w *wire, n int) (int64, error) {
		return l.pair(w, n, l.Savers[hotSavers+n%(len(l.Savers)-hotSavers)])
	},
	loadPairsHot: func(l *loader, w *wire, n int) (int64, error) { return l.pair(w, n, l.Savers[n/hotPairs%hotSavers]) },
	loadBalance: func(l *loader, w *wire, n int) (int64, error) {
		return l.read(w, fmt.Sprintf("/v1/accounts/%s", l.account(n)))
	},
	loadAsOf: func(l *loader, w *wire, n int) (int64, error) {
		return l.read(w, fmt.Sprintf("/v1/accounts/%s?effective=%s", l.account(n), benchDay-ledger.Date(n%30)))
	},
	loadStatement: func(l *loader, w *wire, n int) (int64, error) {
		return l.read(w, fmt.Sprintf("/v1/accounts/%s/statement?from=%s&to=%s", l.account(n), readDay, readDay+benchPage-1))
	},
	loadList: func(l *loader, w *wire, _ int) (int64, error) { return l.read(w, "/v1/entries?limit=50") },
	loadProof: func(l *loader, w *wire, n int) (int64, error) {
		return l.read(w, fmt.Sprintf("/v1/entries/%d/proof", (int64(n)*7919)%l.Entries))
	},
}

const (
	benchBatch     = 500
	benchSheetRows = 5000
	benchPage      = 50 // days of a statement page, each with a line on the accounts that are read
	// readDay is the first of those days, on which nothing else is posted: the page is as long on every book.
	readDay = benchDay + 100
)

func (l *loader) claim(w *wire, n int) (int64, error) {
	return 1, w.do(http.MethodPost, "/v1/hours", l.Tokens["organization"], "bench-"+strconv.Itoa(n), l.appendClaim(nil, n, ""))
}

func (l *loader) batch(w *wire, n int) (int64, error) {
	first := l.numberOf(n)
	b := []byte(`{"claims":[`)
	for i := range benchBatch {
		if i > 0 {
			b = append(b, ',')
		}
		b = l.appendClaim(b, first+i, "bench-"+strconv.Itoa(first+i))
	}
	if err := w.do(http.MethodPost, "/v1/hours/batch", l.Tokens["organization"], "batch-"+strconv.Itoa(first), append(b, "]}"...)); err != nil {
		return 0, err
	}
	if bytes.Contains(w.body, fmt.Appendf(nil, `"recorded":%d,`, benchBatch)) { // reading all of it would take the server's time
		return benchBatch, nil
	}
	var answer batchAnswer
	if err := json.Unmarshal(w.body, &answer); err != nil {
		return 0, err
	}
	for _, item := range answer.Items {
		if item.Status != "recorded" {
			return 0, fmt.Errorf("a claim of a batch was %s: %w", item.Status, item.Problem)
		}
	}
	return int64(len(answer.Items)), nil
}

// loadFamily is whose numbers a load takes: no two of a family run at once.
type loadFamily int

const (
	readFamily loadFamily = iota
	claimFamily
	pairFamily
)

func (k loadKind) family() loadFamily {
	switch k {
	case loadClaims, loadBatches, loadImport:
		return claimFamily
	case loadPairsSpread, loadPairsHot:
		return pairFamily
	default:
		return readFamily
	}
}

// claimsOf is how many claims one doing of a load posts, and so how many numbers it takes.
func (k loadKind) claimsOf() int {
	switch k {
	case loadBatches:
		return benchBatch
	case loadImport:
		return benchSheetRows
	default:
		return 1
	}
}

// numberOf gives the number of the first claim of what is done n-th.
func (l *loader) numberOf(n int) int { return l.First + (n-l.First)*l.Load.claimsOf() }

// importFile writes a sheet and imports it as the command of an organization would.
func (l *loader) importFile(_ *wire, n int) (int64, error) {
	first := l.numberOf(n)
	file, profile := filepath.Join(l.dir, fmt.Sprintf("sheet-%d.csv", first)), filepath.Join(l.dir, fmt.Sprintf("profile-%d.yaml", first))
	if err := errors.Join(l.writeSheet(file, first), os.WriteFile(profile, []byte(benchProfile), 0o600)); err != nil {
		return 0, err
	}
	rows, err := readRows(file, profile)
	if err != nil {
		return 0, err
	}
	lines, err := importer{caller: newCaller("http://"+l.Host, l.Tokens["organization"])}.run(context.Background(), rows)
	if err != nil {
		return 0, err
	}
	if t := totalsOf(lines); t.Count[sheet.Recorded] != benchSheetRows {
		return 0, fmt.Errorf("of %d rows %d were recorded: %v", benchSheetRows, t.Count[sheet.Recorded], t.Codes)
	}
	return benchSheetRows, errors.Join(os.Remove(file), os.Remove(profile))
}

const benchProfile = `
columns: {volunteer: Volunteer, date: Date, amount: Minutes, start: Start, end: End, activity: Activity, service: Service}
dates: [YYYY-MM-DD]
amount: {unit: minutes}
evidence: {kind: signed_sheets, sheet: bench, recorder: a, approver: b, second_approver: c}
`

func (l *loader) writeSheet(path string, first int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := csv.NewWriter(f)
	rows := [][]string{{"Volunteer", "Date", "Minutes", "Start", "End", "Activity", "Service"}}
	for n := first; n < first+benchSheetRows; n++ {
		day := benchDay - ledger.Date(n/len(l.Volunteers))
		rows = append(rows, []string{benchExternalID(n % len(l.Volunteers)), day.String(), "90", "09:00", "10:30", "Bench", "TALK"})
	}
	return w.WriteAll(rows)
}

// benchExternalID is the external id of the n-th volunteer.
func benchExternalID(n int) string { return "bench-" + strconv.Itoa(n) }

// pair holds a minute of a saver's credit and confirms it.
func (l *loader) pair(w *wire, n int, saver string) (int64, error) {
	body := fmt.Appendf(nil, `{"volunteer_id":%q,"service":"CLEAN-HOME","minutes":1}`, saver)
	key := strconv.Itoa(n)
	if err := w.do(http.MethodPost, "/v1/redemptions", l.Tokens["partner"], "hold-"+key, body); err != nil {
		return 0, err
	}
	var hold struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(w.body, &hold); err != nil {
		return 0, err
	}
	return 1, w.do(http.MethodPost, "/v1/redemptions/"+hold.ID+"/confirm", l.Tokens["partner"], "confirm-"+key, []byte(`{"minutes":1}`))
}

func (l *loader) read(w *wire, path string) (int64, error) {
	return 1, w.do(http.MethodGet, path, l.Tokens["auditor"], "", nil)
}

func (l *loader) account(n int) string { return l.Accounts[n%len(l.Accounts)] }
