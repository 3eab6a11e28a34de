package book

import (
	"strings"
	"testing"
)

// A mistake of ours about one command, found while it is written, is an error of its batch, which is then tried again
// one by one; it ends no server.
func TestPanicWhileRecordingIsAnErrorOfTheBatch(t *testing.T) {
	t.Parallel()
	r := beginRecording(t.Context(), nil, &world{})
	r.record(part{records: []*Record{nil}})
	r.record(part{records: []*Record{nil}}) // what comes after it is not written
	for range 2 {
		if err := r.end(); err == nil || !strings.Contains(err.Error(), "recording: panic") {
			t.Errorf("end = %v, want the panic as an error", err)
		}
	}
}
