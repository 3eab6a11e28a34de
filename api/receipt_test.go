package api

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"

	"timebank/api/gen"
)

// What is written by hand is what the contract's types are written as, member by member.
func TestReceiptsAreWrittenAsTheirTypesAre(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 28)) //nolint:gosec // the same in every run
	for range 500 {
		var receipt gen.Receipt
		var batch gen.BatchResult
		fillValue(r, reflect.ValueOf(&receipt).Elem())
		fillValue(r, reflect.ValueOf(&batch).Elem())
		for _, body := range []any{receipt, batch} {
			want, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := (written{body: body}).json(); err != nil || string(got) != string(want) {
				t.Fatalf("%T was written as\n%s\n%v, and is\n%s", body, got, err, want)
			}
		}
	}
}

// What is no UTF-8 is an error either way, and never an answer.
func TestAReceiptThatIsNoUTF8IsNotWritten(t *testing.T) {
	t.Parallel()
	why := gen.Sentence("\xff")
	receipt := gen.Receipt{Why: &why}
	for _, body := range []any{receipt, gen.BatchResult{Items: []gen.BatchItem{{Receipt: &receipt}}}} {
		if text, err := (written{body: body}).json(); err == nil {
			t.Errorf("%T was written as %s", body, text)
		}
	}
}

// fillValue fills a value at random: texts with what must be escaped, and what may be missing missing at times.
func fillValue(r *rand.Rand, v reflect.Value) {
	texts := []string{"", "a", "饭", "\"\\/", "\u0000\n\u007f\u2028", "<&>", "😀"}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))])
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillValue(r, v.Elem())
		}
	case reflect.Slice:
		if r.IntN(4) == 0 {
			return // nil
		}
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fillValue(r, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(r, v.Field(i))
		}
	default:
		panic("a receipt holds a " + v.Kind().String() + ": fill it, and see to it that it is written")
	}
}
