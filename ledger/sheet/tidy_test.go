package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"timebank/ledger"
)

// What people leave in sheets does not make a row wrong: blank lines between weeks, blank cells beyond the
// columns, two columns that nobody reads under one name. The numbers of rows stay those of the sheet.
func TestReadTakesSheetsAsPeopleLeaveThem(t *testing.T) {
	t.Parallel()
	const file = "ID,Site,Task,From.date,Hours,Absent,Note,Note\n" +
		"7,North,Cats,03-21-2017,2,0,a,b,, ,\n" +
		"\n, ,,,,,,\n" +
		"8,North,Cats,03-22-2017,2,0,\"two\nlines\",b\n"
	rows := read(t, []byte(file), profile(t, shelterProfile))
	if diff := cmp.Diff([]string{"ok", "ok"}, codes(rows)); diff != "" {
		t.Fatalf("rows -want +got:\n%s", diff)
	}
	if rows[0].Number != 1 || rows[1].Number != 3 {
		t.Errorf("rows are numbered %d and %d, want 1 and 3", rows[0].Number, rows[1].Number)
	}
}

// Nothing is lost or garbled in silence: such a file is refused as a whole, with its line.
func TestReadRefusesWhatItWouldGarble(t *testing.T) {
	t.Parallel()
	const header = "ID,Site,Task,From.date,Hours,Absent\n"
	for name, x := range map[string]struct{ file, want string }{
		"a quote that swallows rows": {header + "7,\"North,Cats,03-21-2017,2,0\n8,North,Cats,03-22-2017,2,0\n9,North,Cats,03-23-2017,2,0\n", "line 2 has a cell that runs over"},
		"one broken byte in UTF-8":   {header + "7,North,喂猫遛狗陪老人聊天,03-21-2017,2,0\n8,Nor\xffth,喂猫,03-22-2017,2,0\n", "line 3 has a byte that is not UTF-8"},
	} {
		if _, err := Read([]byte(x.file), profile(t, shelterProfile)); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: Read = %v, want an error with %q", name, err, x.want)
		}
	}
}

// A spreadsheet keeps 0.175 as 0.17499999999999999, and shows what was typed.
func TestShownIsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for kept, want := range map[string]string{
		"0.17499999999999999": "0.175", "1.1000000000000001": "1.1", "2.9999999999999996": "3", "0.1666666667": "0.1666666667",
		"46086": "46086", "1.5E-2": "0.015", "9.9999999999999995E-7": "0.000001", "-0.30000000000000004": "-0.3", "12345678901234567": "12345678901234567",
		"1e5": "100000", "v1.2": "v1.2", "2026-03-05": "2026-03-05", "1.2.3": "1.2.3", "": "",
	} {
		if have := shown(kept); have != want {
			t.Errorf("shown(%q) = %q, want %q", kept, have, want)
		}
	}
}

// workbook gives an XLSX file, with a part of it changed.
func workbook(t *testing.T, fill func(f *excelize.File), change func(name string, content []byte) []byte) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var file, changed bytes.Buffer
	if err := f.Write(&file); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(&changed)
	for _, part := range r.File {
		from, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(change(part.Name, content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return changed.Bytes()
}

func TestReadXLSXIsBounded(t *testing.T) {
	t.Parallel()
	set := func(cells map[string]any) func(*excelize.File) {
		return func(f *excelize.File) {
			for cell, value := range cells {
				if err := f.SetCellValue("Sheet1", cell, value); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	same := func(_ string, content []byte) []byte { return content }
	for name, x := range map[string]struct {
		fill   func(*excelize.File)
		change func(string, []byte) []byte
		want   string
	}{
		"a cell in the last column": {set(map[string]any{"A1": "ID", "XFD2": "x"}), same, "columns"},
		"a cell in the last row":    {set(map[string]any{"A1": "ID", "A1048576": "x"}), same, "more than 200000 rows"},
		"a sheet cut off": {set(map[string]any{"A1": "ID", "A2": "x"}), func(name string, content []byte) []byte {
			if strings.HasSuffix(name, "sheet1.xml") {
				return content[:bytes.Index(content, []byte("</sheetData>"))-8]
			}
			return content
		}, "cut off"},
	} {
		if _, err := Read(workbook(t, x.fill, x.change), profile(t, shelterProfile)); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: Read = %v, want an error with %q", name, err, x.want)
		}
	}
}

// A small profile stays small: it does not unfold to a large one.
func TestParseProfileIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"aliases":       "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n" + shelterProfile,
		"deep brackets": "missing: " + strings.Repeat("[", 30_000),
		"deep lists":    strings.Repeat("- ", 30_000),
	} {
		if _, err := ParseProfile([]byte(text)); !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(), "profile: line") {
			t.Errorf("%s: ParseProfile = %v, want an error that names the line", name, err)
		}
	}
}
