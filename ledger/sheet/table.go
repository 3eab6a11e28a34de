package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"timebank/ledger"
)

// The bounds of a file: a city's year of one organization is far below.
const (
	BytesMax   = 64 << 20
	RowsMax    = 200_000
	columnsMax = 200
	cellMax    = 4096
	unzipMax   = 512 << 20 // what an XLSX may unpack to
)

// table is a file as cells. Excel says that dates and times may be numbers.
type table struct {
	header []string
	rows   [][]string
	excel  bool
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: the sheet: %w", ledger.ErrInvalid, fmt.Errorf(format, args...))
}

// readTable reads the cells of a file, of whichever kind it is.
func readTable(file []byte, sheetName string) (table, error) {
	var t table
	var all [][]string
	var err error
	switch {
	case len(file) > BytesMax:
		return t, refuse("it has more than %d bytes", BytesMax)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		t.excel = true
		all, err = readXLSX(file, sheetName)
	default:
		all, err = readCSV(file)
	}
	if err != nil {
		return t, err
	}
	if len(all) == 0 {
		return t, refuse("it is empty: the first row names the columns")
	}
	t.header = all[0]
	for i := range t.header {
		t.header[i] = strings.TrimSpace(t.header[i])
	}
	if len(t.header) > columnsMax {
		return t, refuse("it has %d columns, at most %d", len(t.header), columnsMax)
	}
	t.rows = all[1:]
	for len(t.rows) > 0 && blank(t.rows[len(t.rows)-1]) { // Excel keeps rows that were once used
		t.rows = t.rows[:len(t.rows)-1]
	}
	if len(t.rows) > RowsMax {
		return t, refuse("it has %d rows, at most %d", len(t.rows), RowsMax)
	}
	return t, nil
}

func blank(row []string) bool {
	return strings.TrimSpace(strings.Join(row, "")) == ""
}

// readCSV reads UTF-8, with or without a byte order mark, or else GB18030.
func readCSV(file []byte) ([][]string, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(file) {
		if err := mixed(file); err != nil {
			return nil, err
		}
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(file)
		if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
			return nil, refuse("it is neither UTF-8 nor GB18030 nor XLSX")
		}
		file = decoded
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = -1 // a row that is too short or too long is that row's fault
	r.LazyQuotes = true
	var rows [][]string
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, refuse("%w", err)
		case len(rows) > RowsMax:
			return nil, refuse("it has more than %d rows", RowsMax)
		}
		line, _ := r.FieldPos(0)
		width := len(row)
		if len(rows) > 0 {
			width = len(rows[0])
		}
		if err := swallowed(row, width, line); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// readXLSX reads the cells as they are kept, not as they are shown.
func readXLSX(file []byte, name string) ([][]string, error) {
	if err := checkWhole(file); err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipSizeLimit: unzipMax, UnzipXMLSizeLimit: unzipMax / 8})
	if err != nil {
		return nil, refuse("it is not an XLSX file that can be read: %w", err)
	}
	defer f.Close()
	if name == "" {
		if names := f.GetSheetList(); len(names) > 0 {
			name = names[0]
		}
	}
	rows, err := f.Rows(name)
	if err != nil {
		return nil, refuse("its sheet %q cannot be read: %w", clip(name), err)
	}
	defer func() { _ = rows.Close() }() // only read: nothing can be lost
	var all [][]string
	for rows.Next() { // row by row: a file may say that it has a million of them
		cells, err := rows.Columns()
		if err == nil {
			err = rows.Error()
		}
		if err != nil {
			return nil, refuse("its sheet %q cannot be read: %w", clip(name), err)
		}
		cells = trimmed(cells, 0)
		switch {
		case len(cells) > columnsMax:
			return nil, refuse("row %d has %d columns, at most %d", len(all)+1, len(cells), columnsMax)
		case len(all) > RowsMax:
			return nil, refuse("it has more than %d rows", RowsMax)
		}
		for i := range cells {
			cells[i] = shown(cells[i])
		}
		all = append(all, cells)
	}
	if err := rows.Error(); err != nil {
		return nil, refuse("its sheet %q cannot be read: %w", clip(name), err)
	}
	return all, nil
}
