package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"timebank/ledger"
)

const (
	killAfter      = 25            // acknowledged answers to each kind of client
	killKinds      = 4             // two post claims, one batches, one redeems
	killClients    = 3 * killKinds // a volunteer may have three holds at a time, one for each client that redeems
	killBatch      = 25            // claims
	killVolunteers = 17            // shares no divisor with killBatch: single claims come to each of them
	killSavings    = 50            // claims of 90 minutes: more minutes than are held, one by one, before the kill
)

// The real server is killed while clients post single claims and batches, and hold and confirm credit: at
// an answer counted by the clients, with others on their way. It is started again on what is left of its
// folder and its PostgreSQL, and asked everything again, twice: what was acknowledged is there once and
// says so, and what was not has one effect.
func TestServe_killed_under_load_keeps_what_it_acknowledged(t *testing.T) {
	t.Parallel()
	data := killFolder(t)
	s, l := serveUnder(t, data, syscall.SIGKILL)
	before := logSize(t, s)
	l.run(t)
	if !s.killed.Load() {
		t.Fatal("the clients ended before the server was killed")
	}
	if end := s.end(syscall.SIGKILL); end.String() != "signal: killed" {
		t.Fatalf("the server ended by %s, want by being killed", end)
	}

	again := serveChild(t, data)
	entries, _ := l.askAgain(t, again)
	if grown, keys := logSize(t, again)-before, int64(len(entries)); grown != keys {
		t.Errorf("%d entries for %d keys", grown, keys)
	}
	slices.Sort(entries)
	if keys, one := len(entries), len(slices.Compact(entries)); one != keys {
		t.Errorf("%d keys lead to %d entries", keys, one)
	}
	if end := again.end(syscall.SIGTERM); !end.Success() {
		t.Errorf("the server, asked to end, ended by %s", end)
	}
	if out, err := timebank("verify", "--data", data).CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing is wrong") {
		t.Errorf("timebank verify: %v\n%s", err, out)
	}
}

// The same load on a server that is asked to end: what it answered is there, and everything that it recorded
// is answered. Which requests it took cannot be told from here: a request may be sent in the moment in which
// the server closes a connection that rests.
func TestServe_asked_to_end_under_load_answers_what_it_recorded(t *testing.T) {
	t.Parallel()
	data := killFolder(t)
	s, l := serveUnder(t, data, syscall.SIGTERM)
	l.run(t)
	if end := s.end(0); !end.Success() { // it was asked already
		t.Errorf("the server, asked to end, ended by %s", end)
	}
	if _, recorded := l.askAgain(t, serveChild(t, data)); recorded != 0 {
		t.Errorf("%d keys were recorded by a server that was asked to end, and not answered", recorded)
	}
}

// timebank is the real program: TestMain puts it first in PATH. It has a PostgreSQL of its own.
func timebank(args ...string) *exec.Cmd {
	cmd := exec.Command("timebank", args...)
	cmd.Env = append(os.Environ(), databaseVariable+"=")
	return cmd
}

// killFolder is a folder for data that PostgreSQL's own user can reach.
func killFolder(t *testing.T) string {
	t.Helper()
	data, err := os.MkdirTemp("", "timebank-kill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		endPostgres(t, data)
		if err := os.RemoveAll(data); err != nil {
			t.Error(err)
		}
	})
	return data
}

// endPostgres ends a PostgreSQL that a killed server left; one that has ended left no number of itself.
func endPostgres(t *testing.T, data string) {
	t.Helper()
	for range 100 {
		text, err := os.ReadFile(filepath.Join(data, "pgdata", "postmaster.pid"))
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		first, _, _ := strings.Cut(string(text), "\n")
		if pid, err := strconv.Atoi(first); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGQUIT) // it may end at this moment
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("a PostgreSQL goes on in %s", data)
}

func firstOperator(t *testing.T, data string) (c issuedClient) {
	t.Helper()
	out, err := timebank("client", "create", "--role", "operator", "--data", data, "--json").Output()
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	if err != nil {
		t.Fatalf("making the first operator: %v\n%s", err, out)
	}
	return c
}

// child is a running `timebank serve`.
type child struct {
	cmd    *exec.Cmd
	base   string
	silent chan struct{} // closed when it says nothing any more
	killed atomic.Bool
}

// serveChild starts a server and gives it when it answers.
func serveChild(t *testing.T, data string) *child {
	t.Helper()
	s := &child{cmd: timebank("serve", "--data", data, "--listen", "127.0.0.1:0"), silent: make(chan struct{})}
	pipe, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	said := bufio.NewReader(pipe)
	for serving := false; !serving && err == nil; {
		var line string
		line, err = said.ReadString('\n')
		t.Logf("timebank serve: %s", line)
		s.base, serving = strings.CutPrefix(strings.TrimSpace(line), "serving ")
	}
	go func() {
		defer close(s.silent)
		_, _ = io.Copy(t.Output(), said) // it ends with the server
	}()
	if err != nil || !answers(t.Context(), s.base) {
		t.Fatalf("the server does not answer: %v", err)
	}
	return s
}

// kill may be called by a client, while others wait for their answers.
func (s *child) kill(by syscall.Signal) error {
	s.killed.Store(true)
	return s.cmd.Process.Signal(by)
}

// end sends a signal and tells by what the server ended. Ending twice does no harm.
func (s *child) end(by syscall.Signal) *os.ProcessState {
	_ = s.cmd.Process.Signal(by) // it may have ended
	<-s.silent
	_ = s.cmd.Wait() // the state tells
	return s.cmd.ProcessState
}

func logSize(t *testing.T, s *child) int64 {
	t.Helper()
	var answer struct {
		LogSize int64 `json:"log_size"`
	}
	if err := newCaller(s.base, "").get(t.Context(), "/readyz", &answer); err != nil {
		t.Fatal(err)
	}
	return answer.LogSize
}

// effect is the entry that a key led to.
type effect struct {
	seq      ledger.Seq
	replayed bool
}

// asReplayed is how effects are answered when they are asked for again.
func asReplayed(effects []effect) []effect {
	again := slices.Clone(effects)
	for i := range again {
		again[i].replayed = true
	}
	return again
}

// ask is a request under its key.
type ask struct {
	path, key string
	body      []byte
	keys      int      // of a batch, each claim has its own
	effects   []effect // acknowledged before the kill, or none
	again     []effect // what came of asking again for the first time
}

// asker is a client with all that it asked. It is used by one goroutine.
type asker struct {
	*caller
	kind     int
	way      http.RoundTripper
	replayed bool // by the header of the last answer
	asked    []ask
}

func newAsker(as *caller, kind int) *asker {
	own := newCaller(as.base, "").as(as.id, as.secret)
	a := &asker{caller: own, kind: kind, way: own.http.Transport}
	own.http.Transport = a
	return a
}

// RoundTrip notes the header, of which the caller does not tell.
func (a *asker) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.way.RoundTrip(r)
	a.replayed = err == nil && answer.Header.Get("Idempotent-Replayed") == "true"
	return answer, err
}

// ask sends a request once, and gives what its keys led to, and the id of a redemption.
func (a *asker) ask(ctx context.Context, q ask) (effects []effect, id string, err error) {
	var answer struct {
		batchAnswer
		Seq     ledger.Seq `json:"seq"`
		ID      string     `json:"id"`
		Receipt *struct {
			Seq ledger.Seq `json:"seq"`
		} `json:"receipt"`
	}
	if err := a.send(ctx, http.MethodPost, q.path, q.key, q.body, &answer); err != nil {
		return nil, "", err
	}
	for _, item := range answer.Items {
		if item.Receipt == nil {
			return nil, "", fmt.Errorf("a claim of a batch was %s: %w", item.Status, item.Problem)
		}
		effects = append(effects, effect{item.Receipt.Seq, item.Status == "repeated"})
	}
	switch {
	case effects != nil:
	case answer.Receipt != nil:
		effects = []effect{{answer.Receipt.Seq, a.replayed}}
	default:
		effects = []effect{{answer.Seq, a.replayed}}
	}
	if len(effects) != q.keys {
		return nil, "", fmt.Errorf("%d keys were sent and %d answered", q.keys, len(effects))
	}
	return effects, answer.ID, nil
}

// killLoad is what the clients do to the server.
type killLoad struct {
	server *child
	by     syscall.Signal // that ends the server
	claims loader         // writes them
	saver  string
	askers []*asker
	mu     sync.Mutex
	acked  [killKinds]int
}

// serveUnder starts a server, with clients who will end it by a signal.
func serveUnder(t *testing.T, data string, by syscall.Signal) (*child, *killLoad) {
	t.Helper()
	operator := firstOperator(t, data)
	s := serveChild(t, data)
	l := newKillLoad(t, s, operator)
	l.by = by
	return s, l
}

// newKillLoad registers who takes part, over HTTP.
func newKillLoad(t *testing.T, s *child, operator issuedClient) *killLoad {
	t.Helper()
	town := &tale{operator: newCaller(s.base, "").as(operator.ID, operator.Secret)}
	create := func(path, key string, in map[string]any) string {
		t.Helper()
		id, err := town.create(t.Context(), path, key, in)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	client := func(role ledger.Role, subject string) *caller {
		t.Helper()
		c, err := town.newClient(t.Context(), role, subject, string(role))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	o := create("/v1/organizations", "organization", map[string]any{"name": "Kill", "kind": "social_organization"})
	p := create("/v1/partners", "partner", map[string]any{"name": "Kill care"})
	organization, partner := client(ledger.RoleOrganization, o), client(ledger.RolePartner, p)
	l := &killLoad{server: s, saver: create("/v1/volunteers", "saver", map[string]any{"name": "Saver", "born": "1950-01-01"})}
	for n := range killVolunteers {
		id := create("/v1/volunteers", strconv.Itoa(n), map[string]any{"name": fmt.Sprintf("Volunteer %d", n), "born": "1950-01-01"})
		l.claims.Volunteers = append(l.claims.Volunteers, id)
	}
	consent := map[string]any{"volunteer_id": l.saver, "partner_id": p, "minutes_max": 60_000, "until": "2099-12-31"}
	if err := client(ledger.RoleVolunteer, l.saver).post(t.Context(), "/v1/consents", "consent", consent, nil); err != nil {
		t.Fatal(err)
	}
	saved := loader{loadPlan: loadPlan{Volunteers: []string{l.saver}}}
	savings := ask{path: "/v1/hours/batch", key: "savings", body: appendBatch(&saved, 0, killSavings), keys: killSavings}
	if _, _, err := newAsker(organization, 0).ask(t.Context(), savings); err != nil {
		t.Fatal(err)
	}
	for n := range killClients {
		l.askers = append(l.askers, newAsker([killKinds]*caller{organization, organization, organization, partner}[n%killKinds], n%killKinds))
	}
	return l
}

// appendBatch is a batch of claims, whose keys are the batch's with their places.
func appendBatch(claims *loader, first, n int) []byte {
	b := []byte(`{"claims":[`)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = claims.appendClaim(b, first+i, "")
	}
	return append(b, "]}"...)
}

// run lets all clients ask until they are not answered.
func (l *killLoad) run(t *testing.T) {
	t.Helper()
	var wg sync.WaitGroup
	for n, a := range l.askers {
		wg.Go(func() {
			for i, on := n, true; on; i += killClients { // no two clients have a number in common
				switch a.kind {
				case 2:
					_, on = l.write(t, a, ask{path: "/v1/hours/batch", key: fmt.Sprintf("batch %d", i),
						body: appendBatch(&l.claims, i*killBatch, killBatch), keys: killBatch})
				case 3:
					on = l.redeem(t, a, i)
				default:
					_, on = l.write(t, a, ask{path: "/v1/hours", key: fmt.Sprintf("claim %d", i),
						body: l.claims.appendClaim(nil, i*killBatch, ""), keys: 1})
				}
			}
		})
	}
	wg.Wait()
}

func (l *killLoad) redeem(t *testing.T, a *asker, i int) bool {
	held, ok := l.write(t, a, ask{path: "/v1/redemptions", key: fmt.Sprintf("hold %d", i),
		body: fmt.Appendf(nil, `{"volunteer_id":%q,"service":"CLEAN-HOME","minutes":1}`, l.saver), keys: 1})
	if ok {
		_, ok = l.write(t, a, ask{path: "/v1/redemptions/" + held + "/confirm", key: fmt.Sprintf("confirm %d", i),
			body: []byte(`{"minutes":1}`), keys: 1})
	}
	return ok
}

// write asks, and remembers it. The client whose answer is the last that was waited for kills the server.
func (l *killLoad) write(t *testing.T, a *asker, q ask) (id string, ok bool) {
	var err error
	q.effects, id, err = a.ask(context.Background(), q)
	a.asked = append(a.asked, q)
	if err != nil {
		var answered *problem
		switch {
		case !l.server.killed.Load():
			t.Errorf("%s was not recorded by a server that was not killed: %v", q.key, err)
		case errors.As(err, &answered):
			t.Errorf("%s was taken by a server that was to end, and not recorded: %v", q.key, err)
		}
		return "", false
	}
	if l.enough(a.kind) {
		if err := l.server.kill(l.by); err != nil {
			t.Error(err)
		}
	}
	return id, true
}

// enough counts an acknowledged answer. It is true once: when every kind has so many.
func (l *killLoad) enough(kind int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[kind]++
	return l.acked[kind] == killAfter && slices.Min(l.acked[:]) == killAfter
}

// askAgain asks another server all of it again, twice. It gives the entry of each key, and how many had
// been recorded without an answer.
func (l *killLoad) askAgain(t *testing.T, s *child) (entries []ledger.Seq, recorded int) {
	t.Helper()
	var wg sync.WaitGroup
	for _, a := range l.askers {
		a.base = s.base
		wg.Go(func() {
			for i, q := range a.asked {
				a.asked[i].again = a.askTwice(t, q)
			}
		})
	}
	wg.Wait()
	unanswered := 0
	for _, a := range l.askers {
		for _, q := range a.asked {
			for _, e := range q.again {
				entries = append(entries, e.seq)
				if q.effects == nil {
					unanswered++
				}
				if q.effects == nil && e.replayed {
					recorded++
				}
			}
		}
	}
	t.Logf("%d keys; of %d that were not answered, %d had been recorded", len(entries), unanswered, recorded)
	return entries, recorded
}

// askTwice gives what came of asking again for the first time.
func (a *asker) askTwice(t *testing.T, q ask) []effect {
	first, _, err := a.ask(context.Background(), q)
	if err != nil {
		t.Errorf("asking %s again: %v", q.key, err)
	}
	if want := asReplayed(q.effects); want != nil && !slices.Equal(first, want) {
		t.Errorf("%s was acknowledged as %v, and asked again is %v", q.key, want, first)
	}
	second, _, err := a.ask(context.Background(), q)
	if err != nil {
		t.Errorf("asking %s a third time: %v", q.key, err)
	}
	if want := asReplayed(first); !slices.Equal(second, want) {
		t.Errorf("%s was %v, and asked a third time is %v, want %v", q.key, first, second, want)
	}
	return first
}
