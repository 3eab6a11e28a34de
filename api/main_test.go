package api

import (
	"testing"

	"timebank/ledger/book/booktest"
)

func TestMain(m *testing.M) { booktest.Main(m) }
