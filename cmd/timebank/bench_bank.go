package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"timebank/ledger"
	"timebank/ledger/book"
)

// benchBank is a book that is measured with its server, and those who use it.
type benchBank struct {
	settings
	*instance
	plan       string // file by which the load generator is told what to do
	talk       io.Writer
	host       string
	served     chan error
	cancel     context.CancelFunc
	clients    map[string]*caller // by role
	volunteers []string
	savers     []string
	accounts   []string
	mu         sync.Mutex
	next       map[loadFamily]int // numbers not used yet
	plans      int
}

// start opens the book and serves it; it gives when the server answers.
func (b *benchBank) start(ctx context.Context) error {
	i, err := b.open(ctx, b.talk)
	if err != nil {
		return err
	}
	b.instance = i
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return i.failed(ctx, err)
	}
	b.host, b.served = listener.Addr().String(), make(chan error, 1)
	for _, c := range b.clients {
		c.base = "http://" + b.host
	}
	serving, cancel := context.WithCancel(ctx)
	b.cancel = cancel
	go func() { b.served <- i.serve(serving, listener, defaultIssuer) }()
	for try := 0; try < 600; try++ {
		if answer, err := http.Get("http://" + b.host + "/v1/checkpoint"); err == nil { //nolint:noctx // bounded by the tries
			if err := answer.Body.Close(); err == nil && answer.StatusCode < http.StatusInternalServerError {
				return nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return errors.Join(errors.New("the server does not answer"), b.stop(ctx))
}

// stop ends the server and its PostgreSQL, once.
func (b *benchBank) stop(ctx context.Context) error {
	if b.cancel == nil {
		return nil
	}
	b.cancel()
	b.cancel = nil
	return errors.Join(<-b.served, b.instance.close(ctx))
}

const (
	hotSavers    = 40 // one at a time is the hot account
	benchSavers  = hotSavers + 200
	saverClaims  = 30  // of 90 minutes: more than the rules let anybody redeem in a month
	benchReaders = 200 // volunteers whose accounts are read
	// hotPairs is after how many pairs another account is the hot one: below the forty hours, of a minute each, that
	// the shipped rules let somebody redeem in a month.
	hotPairs = 2000
)

// register makes an organization, a partner, an auditor and volunteers, of whom some have saved credit and
// let the partner hold it.
func (b *benchBank) register(ctx context.Context, volunteers int) error {
	o, err := b.RegisterOrganization(ctx, book.System, book.Key{Text: "bench organization"}, book.Organization{Name: "Bench", ExternalID: "bench", Kind: "social_organization"})
	if err != nil {
		return err
	}
	p, err := b.RegisterPartner(ctx, book.System, book.Key{Text: "bench partner"}, book.Partner{Name: "Bench care"})
	if err != nil {
		return err
	}
	b.clients = map[string]*caller{}
	for _, c := range []book.Client{{Role: ledger.RoleOrganization, Subject: o.ID}, {Role: ledger.RolePartner, Subject: p.ID}, {Role: ledger.RoleAuditor}} {
		made, err := b.issue(ctx, c)
		if err != nil {
			return err
		}
		b.clients[string(c.Role)] = newCaller("http://"+b.host, "").as(made.ID, made.Secret)
	}
	if b.volunteers, err = b.registerVolunteers(ctx, volunteers); err != nil {
		return err
	}
	if err := b.save(ctx, o.ID, p.ID); err != nil {
		return err
	}
	for n, id := range b.volunteers[benchSavers:min(len(b.volunteers), benchSavers+benchReaders)] {
		if err := b.post(ctx, o.ID, fmt.Sprintf("read-%d", n), benchPage, func(i int) (string, ledger.Date) {
			return id, readDay + ledger.Date(i)
		}); err != nil {
			return err
		}
		of, err := b.Accounts(ctx, ledger.Actor{Role: ledger.RoleAuditor}, book.AccountFilter{Owner: id, Purpose: ledger.CarePurpose, Limit: 1})
		if err != nil {
			return err
		}
		b.accounts = append(b.accounts, of[0].ID.String())
	}
	return nil
}

func (b *benchBank) registerVolunteers(ctx context.Context, n int) ([]string, error) {
	born, err := ledger.DateFrom(1950, 1, 1)
	if err != nil {
		return nil, err
	}
	ids := make([]string, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i := range n {
		g.Go(func() error {
			v, err := b.RegisterVolunteer(ctx, book.System, book.Key{Text: benchExternalID(i)},
				book.Volunteer{Name: fmt.Sprintf("Volunteer %d", i), ExternalID: benchExternalID(i), Born: born})
			ids[i] = v.ID
			return err
		})
	}
	return ids, g.Wait()
}

// save lets the savers earn, and consent.
func (b *benchBank) save(ctx context.Context, organization, partner string) error {
	until, err := ledger.DateFrom(2099, 12, 31)
	if err != nil {
		return err
	}
	b.savers = b.volunteers[:benchSavers]
	for n, id := range b.savers {
		if err := b.post(ctx, organization, fmt.Sprintf("save-%d", n), saverClaims, func(i int) (string, ledger.Date) {
			return id, benchDay + 1 + ledger.Date(i)
		}); err != nil {
			return err
		}
		if _, err := b.GiveConsent(ctx, ledger.Actor{Role: ledger.RoleVolunteer, Subject: id}, book.Key{Text: fmt.Sprintf("consent-%d", n)},
			book.Consent{Volunteer: id, Partner: partner, MinutesMax: 60_000_000, Until: until}); err != nil {
			return err
		}
	}
	return nil
}

// post records claims of an organization without the way over HTTP.
func (b *benchBank) post(ctx context.Context, organization, key string, n int, of func(i int) (string, ledger.Date)) error {
	requests := make([]book.HoursRequest, n)
	for i := range requests {
		start, end := ledger.Clock(9*60), ledger.Clock(10*60+30)
		volunteer, day := of(i)
		requests[i] = book.HoursRequest{Key: book.Key{Text: fmt.Sprintf("%s-%d", key, i)}, Claim: ledger.Claim{
			Volunteer: volunteer, Activity: "Bench", Service: "TALK", ServedOn: day, Start: &start, End: &end, Minutes: 90,
			Evidence: ledger.Evidence{Sheet: "bench", Recorder: "a", Approver: "b", SecondApprover: "c"}}}
	}
	for _, r := range b.PostHours(ctx, ledger.Actor{Role: ledger.RoleOrganization, Subject: organization}, requests) {
		if r.Err != nil {
			return fmt.Errorf("filling the book: %w", r.Err)
		}
	}
	return nil
}

// fill posts claims until the book has so many entries.
func (b *benchBank) fill(ctx context.Context, entries int64) error {
	has, err := b.LogSize(ctx)
	if err != nil || has >= entries {
		return err
	}
	bar := newProgress(b.talk, "filling")
	defer bar.end()
	for ; has < entries; has, err = b.LogSize(ctx) {
		if err != nil {
			return err
		}
		bar.at(has, entries)
		// As many batches as there are entries missing, four at a time, for ten seconds at most.
		if _, err := b.load(ctx, loadBatches, 4, min(10*time.Second, time.Duration(entries-has)*time.Millisecond/10)); err != nil {
			return err
		}
	}
	return nil
}

// load runs the load generator as a process of its own.
func (b *benchBank) load(ctx context.Context, kind loadKind, clients int, long time.Duration) (a loadAnswer, err error) {
	file, err := b.tell(ctx, kind, clients, long)
	if err != nil {
		return a, err
	}
	self, err := os.Executable()
	if err != nil {
		return a, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "load", file)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return a, fmt.Errorf("running the load generator: %w", err)
	}
	err = errors.Join(json.Unmarshal(out.Bytes(), &a), os.Remove(file))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next[kind.family()] = a.Next
	return a, err
}

// tell writes the plan of a load.
func (b *benchBank) tell(ctx context.Context, kind loadKind, clients int, long time.Duration) (file string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	entries, err := b.LogSize(ctx)
	if err == nil {
		err = b.Publish(ctx) // so that there is a proof for each of them
	}
	if err != nil {
		return "", err
	}
	plan := loadPlan{Host: b.host, Load: kind, Tokens: map[string]string{}, Volunteers: b.volunteers, Savers: b.savers, Accounts: b.accounts,
		Entries: entries, Clients: clients, Millis: int(long.Milliseconds()), First: b.next[kind.family()]}
	for role, c := range b.clients {
		if err := c.renew(ctx, clock()); err != nil {
			return "", err
		}
		plan.Tokens[role] = c.token
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return "", err
	}
	b.plans++
	file = fmt.Sprintf("%s-%d", b.plan, b.plans)
	return file, os.WriteFile(filepath.Clean(file), text, 0o600)
}
