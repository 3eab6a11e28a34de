package translog

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"timebank/ledger"
)

// TileWidth is how many hashes, or leaves, a full tile holds; see C2SP tlog-tiles.
const (
	TileWidth  = 256
	tileHeight = 8
	levelMax   = 7 // 256 to the power of 8 leaves are more than there will be
)

// Tile names a part of the log: at Level 0 of its leaves, above of the hashes of full tiles below.
type Tile struct {
	Level int
	Index int64
	Width int // 1 to TileWidth; less than that is a partial tile
}

// ParseTile reads a tile's name: the level, and the parts of its index, such as x001, 234 and, of a partial
// tile, 234.p and 17. A tile has one name only; another is [ledger.ErrInvalid].
func ParseTile(level string, parts ...string) (Tile, error) {
	t, err := parseTile(level, parts)
	if err != nil || t.Level > levelMax || t.name() != level+"/"+strings.Join(parts, "/") {
		return Tile{}, fmt.Errorf("%w: there is no tile of this name", ledger.ErrInvalid)
	}
	return t, nil
}

func parseTile(level string, parts []string) (t Tile, err error) {
	if t.Level, err = strconv.Atoi(level); err != nil {
		return t, err
	}
	t.Width = TileWidth
	if n := len(parts); n > 1 && strings.HasSuffix(parts[n-2], ".p") {
		if t.Width, err = strconv.Atoi(parts[n-1]); err != nil {
			return t, err
		}
		parts = append(parts[:n-2:n-2], strings.TrimSuffix(parts[n-2], ".p"))
	}
	for _, p := range parts {
		digits, err := strconv.ParseUint(strings.TrimPrefix(p, "x"), 10, 16)
		if err != nil {
			return t, err
		}
		t.Index = t.Index*1000 + int64(digits)
	}
	return t, nil
}

// name writes the tile's name as C2SP tlog-tiles does, or nothing when there can be no such tile.
func (t Tile) name() string {
	if t.Level < 0 || t.Index < 0 || t.Width < 1 || t.Width > TileWidth {
		return ""
	}
	path := fmt.Sprintf("%03d", t.Index%1000)
	for n := t.Index / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if t.Width < TileWidth {
		path += fmt.Sprintf(".p/%d", t.Width)
	}
	return fmt.Sprintf("%d/%s", t.Level, path)
}

// Path gives where the tile is, below a log's prefix.
func (t Tile) Path() string { return "tile/" + t.name() }

// EntriesPath gives where the leaves of a tile of level 0 are.
func (t Tile) EntriesPath() string { return "tile/entries/" + strings.TrimPrefix(t.name(), "0/") }

// Tiles gives every tile of a log of so many leaves, level by level.
func Tiles(size int64) iter.Seq[Tile] {
	return func(yield func(Tile) bool) {
		for level := 0; level <= levelMax && size>>(tileHeight*level) > 0; level++ {
			n := size >> (tileHeight * level)
			for i := int64(0); i*TileWidth < n; i++ {
				if !yield(Tile{level, i, int(min(TileWidth, n-i*TileWidth))}) {
					return
				}
			}
		}
	}
}

// In reports whether a log of so many leaves has the tile.
func (t Tile) In(size int64) bool {
	return t.Index*TileWidth+int64(t.Width) <= size>>(tileHeight*t.Level)
}

// Hashes gives the indexes of the stored hashes that the tile holds, in their order.
func (t Tile) Hashes() []int64 {
	indexes := make([]int64, t.Width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(tileHeight*t.Level, t.Index*TileWidth+int64(i))
	}
	return indexes
}
