package book_test

import (
	"testing"

	"timebank/ledger/book/booktest"
)

func TestMain(m *testing.M) { booktest.Main(m) }
