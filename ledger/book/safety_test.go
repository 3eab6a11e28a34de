package book

import (
	"testing"

	"github.com/lib/pq"
)

// Either form of a DSN takes a parameter whose value has a blank, and keeps what it says itself.
func TestParametersAreAddedToADSNOfEitherForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dsn, want string }{
		{"host=/run/pg dbname=timebank", "read committed"},
		{"postgres://timebank@127.0.0.1/timebank", "read committed"},
		{"postgres://timebank@127.0.0.1/timebank?sslmode=disable", "read committed"},
		{"postgres://timebank@127.0.0.1/timebank?default_transaction_isolation=serializable", "serializable"},
		{"dbname=timebank default_transaction_isolation=serializable", "serializable"},
	} {
		c, err := pq.NewConfig(withParameters(test.dsn, afterTheLock, "jit=off"))
		if err != nil {
			t.Errorf("%s: %v", test.dsn, err)
			continue
		}
		if have := c.Runtime["default_transaction_isolation"]; have != test.want || c.Runtime["jit"] != "off" {
			t.Errorf("%s: %q and jit %q, want %q and off", test.dsn, have, c.Runtime["jit"], test.want)
		}
	}
}
