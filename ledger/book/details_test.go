package book

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"timebank/ledger"
)

// What is written of a claim without reflection is, byte for byte, what is written with it, whatever is in it.
func TestClaimDetailsAreWrittenAsTheyAreEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d claimDetails
		fillAny(t, reflect.ValueOf(&d).Elem(), "d")
		want, wantErr := encode(d)
		got, err := d.json()
		if (err != nil) != (wantErr != nil) || wantErr == nil && string(got) != string(want) {
			t.Fatalf("written as\n%s (%v), encoded as\n%s (%v)", got, err, want, wantErr)
		}
	})
}

// fillAny fills every field, also one that is added some day, with what may come about and what may not: half are
// left empty, texts are of any letters and may be no UTF-8.
func fillAny(t *rapid.T, v reflect.Value, name string) {
	if _, ok := v.Interface().(ledger.Date); ok {
		v.SetInt(int64(rapid.IntRange(int(ledger.DateMin), int(ledger.DateMax)).Draw(t, name)))
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			fillAny(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
		return
	}
	if rapid.Bool().Draw(t, name+" is empty") {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<&>\u2028", "\xff", "\"\\\n\t\x00", "陪聊"})).Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(rapid.Int32().Draw(t, name)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 3).Draw(t, name), 3))
		for i := range v.Len() {
			fillAny(t, v.Index(i), fmt.Sprint(name, i))
		}
	default:
		t.Fatalf("%s is of kind %s", name, v.Kind())
	}
}
