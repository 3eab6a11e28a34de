package translog_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
	"timebank/ledger/translog"
)

// A tile's name is that of C2SP tlog-tiles, which the Go module that reads such logs writes too.
func TestParseTile_agrees_with_the_module(t *testing.T) {
	t.Parallel()
	for _, want := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: 0, N: 0, W: 1}, {H: 8, L: 3, N: 999, W: 256},
		{H: 8, L: 1, N: 1000, W: 17}, {H: 8, L: 2, N: 1234067, W: 256}, {H: 8, L: 0, N: 999_999_999, W: 255}} {
		parts := strings.Split(strings.TrimPrefix(want.Path(), "tile/8/"), "/")
		have, err := translog.ParseTile(parts[0], parts[1:]...)
		if err != nil || have != (translog.Tile{Level: want.L, Index: want.N, Width: want.W}) {
			t.Errorf("ParseTile(%v) = %+v, %v, want %+v", parts, have, err, want)
		}
	}
}

func TestParseTile_refuses_any_other_name(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"0", "0/", "0/0", "0/00", "0/0000", "0/x000/001", "0/001.p/0", "0/001.p/256", "0/001.p/01", "0/001.p/-1", "0/001.p",
		"0/001/1", "00/001", "8/000", "-1/000", "0/x001/x002", "0/+01", "0/0_1", "a/000", "0/x001/000.p/300"} {
		parts := strings.Split(name, "/")
		if have, err := translog.ParseTile(parts[0], parts[1:]...); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("ParseTile(%s) = %+v, %v, want an error", name, have, err)
		}
	}
}

// Of a log of a size there are just the tiles that its leaves fill.
func TestTile_In(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tile translog.Tile
		size int64
		in   bool
	}{
		{translog.Tile{Level: 0, Index: 0, Width: 5}, 5, true}, {translog.Tile{Level: 0, Index: 0, Width: 6}, 5, false},
		{translog.Tile{Level: 0, Index: 1, Width: 256}, 511, false}, {translog.Tile{Level: 0, Index: 1, Width: 256}, 512, true},
		{translog.Tile{Level: 1, Index: 0, Width: 1}, 255, false}, {translog.Tile{Level: 1, Index: 0, Width: 1}, 256, true},
		{translog.Tile{Level: 1, Index: 0, Width: 2}, 511, false}, {translog.Tile{Level: 2, Index: 0, Width: 1}, 65536, true},
	} {
		if in := tt.tile.In(tt.size); in != tt.in {
			t.Errorf("%+v in a log of %d: %t", tt.tile, tt.size, in)
		}
	}
}
