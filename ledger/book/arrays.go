package book

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// Arrays in PostgreSQL's binary form, in which the writer sends its rows: the driver's own are text, with
// which the inserts of a batch took a third longer. The form is the one of array_recv
// (src/backend/utils/adt/arrayfuncs.c), in network byte order: the number of dimensions, whether there are
// nulls, the type of the elements, their number and the first index; then each element behind its length.
// A value that is bytes is sent in binary by lib/pq when binary_parameters is set.
type (
	bigints []int64
	ints    []int64 // sent as int4: dates
	bools   []bool
	texts   []string
	uuids   []string // in the canonical form; an empty one is a null
	byteas  [][]byte // a nil one is a null
)

// Type numbers of PostgreSQL (src/include/catalog/pg_type.dat).
const (
	oidBool, oidBytea, oidInt8, oidInt4, oidText, oidUUID = 16, 17, 20, 23, 25, 2950
)

const arrayHeader = 20 // bytes

// arrayOf begins an array of n elements that take so many bytes together.
func arrayOf(oid uint32, n, bytes int) []byte {
	b := make([]byte, 0, arrayHeader+4*n+bytes)
	if n == 0 {
		b = binary.BigEndian.AppendUint32(b, 0) // no dimensions
		b = binary.BigEndian.AppendUint32(b, 0)
		return binary.BigEndian.AppendUint32(b, oid)
	}
	for _, x := range []uint32{1, 0, oid, uint32(n), 1} {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}

// null appends a null and says in the array's header that there is one.
func null(b []byte) []byte {
	b[7] = 1
	return binary.BigEndian.AppendUint32(b, 1<<32-1)
}

// Value implements [driver.Valuer].
func (a bigints) Value() (driver.Value, error) {
	b := arrayOf(oidInt8, len(a), 8*len(a))
	for _, x := range a {
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(x))
	}
	return b, nil
}

// Value implements [driver.Valuer].
func (a ints) Value() (driver.Value, error) {
	b := arrayOf(oidInt4, len(a), 4*len(a))
	for _, x := range a {
		if int64(int32(x)) != x {
			return nil, fmt.Errorf("%d is no int4", x)
		}
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 4), uint32(int32(x)))
	}
	return b, nil
}

// Value implements [driver.Valuer].
func (a bools) Value() (driver.Value, error) {
	b := arrayOf(oidBool, len(a), len(a))
	for _, x := range a {
		var bit byte
		if x {
			bit = 1
		}
		b = append(binary.BigEndian.AppendUint32(b, 1), bit)
	}
	return b, nil
}

// Value implements [driver.Valuer].
func (a texts) Value() (driver.Value, error) {
	bytes := 0
	for _, x := range a {
		bytes += len(x)
	}
	b := arrayOf(oidText, len(a), bytes)
	for _, x := range a {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(x))), x...)
	}
	return b, nil
}

// Value implements [driver.Valuer].
func (a uuids) Value() (driver.Value, error) {
	b := arrayOf(oidUUID, len(a), 16*len(a))
	for _, x := range a {
		if x == "" {
			b = null(b)
			continue
		}
		id, err := uuid.Parse(x)
		if err != nil {
			return nil, fmt.Errorf("writing the id %q: %w", x, err)
		}
		b = append(binary.BigEndian.AppendUint32(b, 16), id[:]...)
	}
	return b, nil
}

// Value implements [driver.Valuer].
func (a byteas) Value() (driver.Value, error) {
	bytes := 0
	for _, x := range a {
		bytes += len(x)
	}
	b := arrayOf(oidBytea, len(a), bytes)
	for _, x := range a {
		if x == nil {
			b = null(b)
			continue
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(x))), x...)
	}
	return b, nil
}
