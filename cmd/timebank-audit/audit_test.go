package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"timebank/api"
	"timebank/ledger"
	"timebank/ledger/book"
	"timebank/ledger/book/booktest"
	"timebank/ledger/witness/witnesstest"
)

func TestMain(m *testing.M) { booktest.Main(m) }

// served is a book with some hundred entries, served, and what an auditor has of it.
type served struct {
	*booktest.Book
	url, token, key, dir string
	org                  ledger.Actor
	volunteer            string
}

func serve(t *testing.T) *served {
	t.Helper()
	b := booktest.New(t)
	s := &served{Book: b, dir: t.TempDir(), org: b.Organization(t), volunteer: b.Volunteer(t, "1950-01-01")}
	s.post(t, 0, 300)
	const issuer = "https://timebank.test"
	server, err := api.New(api.Config{Book: b.Book, Issuer: issuer, Audience: issuer, Key: b.Config.Keys.Token})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server.Handler())
	t.Cleanup(h.Close)
	s.url, s.key = h.URL+"/v1", filepath.Join(s.dir, "key")
	auditor := b.Actor(t, ledger.RoleAuditor, "")
	answer, err := http.PostForm(h.URL+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {auditor.Client},
		"client_secret": {b.ClientSecret(auditor.Client)}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		t.Fatalf("no token: %v", err)
	}
	s.token = token.AccessToken
	if err := os.WriteFile(s.key, []byte(b.LogVerifier()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.publish(t)
	return s
}

func (s *served) post(t *testing.T, from, to int) {
	t.Helper()
	var claims []book.HoursRequest
	for n := from; n < to; n++ {
		c := booktest.Served(t, s.volunteer, "2026-03-05", 1)
		c.Activity = fmt.Sprint("activity ", n)
		claims = append(claims, book.HoursRequest{Key: s.Key(), Claim: c})
	}
	for _, r := range s.PostHours(t.Context(), s.org, claims) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func (s *served) publish(t *testing.T) {
	t.Helper()
	if err := s.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// audit runs the program, and gives its exit code and all that it says.
func (s *served) audit(args ...string) (int, string) {
	var out strings.Builder
	code := run(append(args, "--key", s.key), &out, &out)
	return code, out.String()
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := serve(t)
	seen := filepath.Join(s.dir, "seen")
	for _, args := range [][]string{{"log", s.url, "--token", s.token, "--seen", seen}, {"balances", s.url, "--token", s.token},
		{"replay", s.url, "--token", s.token}} {
		if code, says := s.audit(args...); code != exitRight || !strings.Contains(says, "timebank.test/book: ") {
			t.Fatalf("%v: exit code %d: %s", args[0], code, says)
		}
	}
	s.post(t, 300, 310)
	s.publish(t)
	if code, says := s.audit("log", s.url, "--token", s.token, "--seen", seen, "--json"); code != exitRight || !strings.Contains(says, `"since":3`) {
		t.Errorf("the log that grew: exit code %d: %s", code, says)
	}
	if code, says := s.audit("log", s.url); code != exitFailed || !strings.Contains(says, "401") {
		t.Errorf("without a token: exit code %d: %s", code, says)
	}
	if code, says := s.audit("log", "http://127.0.0.1:1/v1", "--token", s.token); code != exitFailed {
		t.Errorf("nobody there: exit code %d: %s", code, says)
	}
	for _, args := range [][]string{{"log"}, {"nothing"}, {"log", s.url, "--no-such-flag"}} {
		if code, says := s.audit(args...); code != exitMisuse {
			t.Errorf("%v: exit code %d: %s", args, code, says)
		}
	}
	if err := os.WriteFile(seen, []byte("no checkpoint"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, says := s.audit("log", s.url, "--token", s.token, "--seen", seen); code != exitFailed {
		t.Errorf("with a broken checkpoint of its own: exit code %d: %s", code, says)
	}
}

// Whatever is changed behind the server's back is found from outside, and named.
func TestAuditFindsWhatWasChanged(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ change, check, says string }{
		"a leaf of more minutes": {`UPDATE entry SET leaf = replace(leaf, ' 1' || chr(10), ' 9' || chr(10)) WHERE seq = 200`, "log", "leaf 200 is not the one"},
		"a leaf taken away":      {`DELETE FROM entry WHERE seq = 200`, "log", "500"},
		"a hash":                 {`UPDATE hash SET hash = sha256('x') WHERE id = 0`, "log", "inconsistent tile"},
		"a checkpoint":           {`UPDATE checkpoint SET note = replace(note, chr(10) || size || chr(10), chr(10) || (size - 1) || chr(10))`, "log", "checkpoint"},
		"a fact":                 {`UPDATE entry SET details = replace(details, '"age":76', '"age":77') WHERE seq = 200`, "replay", "entry 200: its details are not those"},
		"a balance": {`UPDATE posting SET balance = balance + 60, minutes = minutes + 60 WHERE (seq, account) IN (SELECT p.seq, p.account FROM posting p JOIN account a ON a.id = p.account
			WHERE a.owner_kind = 'volunteer' AND a.purpose = 'care' ORDER BY p.seq DESC LIMIT 1)`, "balances", "minutes of care, the leaves come to 300"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			s.Tamper(t, x.change)
			want := exitWrong
			if x.says == "500" { // what is not served cannot be judged
				want = exitFailed
			}
			if code, says := s.audit(x.check, s.url, "--token", s.token); code != want || !strings.Contains(says, x.says) {
				t.Errorf("exit code %d, want %d with %q: %s", code, want, x.says, says)
			}
		})
	}
}

// A proof is checked offline, against the leaf and the key alone.
func TestAuditProof(t *testing.T) {
	t.Parallel()
	s := serve(t)
	from := newSource(t.Context(), s.url, s.token)
	text, err := from.get("/entries/100/proof")
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := from.bundle(0, 256)
	if err != nil {
		t.Fatal(err)
	}
	proof, leaf, other := filepath.Join(s.dir, "proof"), filepath.Join(s.dir, "leaf"), filepath.Join(s.dir, "other")
	for file, content := range map[string][]byte{proof: text, leaf: leaves[100], other: leaves[101]} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, says := s.audit("proof", proof, "--leaf", leaf); code != exitRight || !strings.Contains(says, "leaf 100 is in") {
		t.Errorf("exit code %d: %s", code, says)
	}
	if code, says := s.audit("proof", proof, "--leaf", other); code != exitWrong {
		t.Errorf("of another leaf: exit code %d: %s", code, says)
	}
	if code, says := s.audit("proof", proof); code != exitMisuse || !strings.Contains(says, "name the file of the leaf's text with --leaf") {
		t.Errorf("of no leaf: exit code %d: %s", code, says)
	}
}

// What happened between two sizes is told from the leaves.
func TestAuditDiff(t *testing.T) {
	t.Parallel()
	s := serve(t)
	size, err := s.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, to := fmt.Sprint(size-4), fmt.Sprint(size)
	code, says := s.audit("diff", s.url, from, to, "--token", s.token)
	if code != exitRight || !strings.Contains(says, "3 hours") || strings.Count(says, "minutes of service") != 2 {
		t.Errorf("exit code %d: %s", code, says)
	}
	code, says = s.audit("diff", s.url, from, from, "--token", s.token, "--json")
	if code != exitRight || !strings.Contains(says, `"accounts":[]`) {
		t.Errorf("nothing happened: exit code %d: %s", code, says)
	}
	for _, args := range [][]string{{"diff", s.url, "1"}, {"diff", s.url, "2", "1"}, {"diff", s.url, "x", "1"}, {"diff", s.url, "1", "9999999"}} {
		if code, says := s.audit(append(args, "--token", s.token)...); code != exitMisuse {
			t.Errorf("%v: exit code %d: %s", args, code, says)
		}
	}
}

// --follow proves what is new as it comes, and ends when something is wrong.
func TestAuditFollows(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ended := make(chan int, 1)
	var says string
	go func() {
		var code int
		code, says = s.audit("log", s.url, "--token", s.token, "--follow", "--every", "20ms", "--seen", filepath.Join(s.dir, "seen"))
		ended <- code
	}()
	time.Sleep(300 * time.Millisecond)
	s.post(t, 300, 305)
	s.publish(t)
	time.Sleep(300 * time.Millisecond)
	s.Tamper(t, `CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.leaf := replace(NEW.leaf, 'hours', 'hourz'); RETURN NEW; END $$;
		CREATE TRIGGER lie BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION lie()`)
	s.post(t, 305, 306)
	s.publish(t)
	select {
	case code := <-ended:
		if code != exitWrong || !strings.Contains(says, "5 of them new") && !strings.Contains(says, "of them new") {
			t.Errorf("exit code %d: %s", code, says)
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on with a log that is wrong")
	}
}

// A checkpoint must be cosigned by as many as are demanded; a key file may hold the keys of before and after a change.
func TestAuditWitnessesAndKeys(t *testing.T) {
	t.Parallel()
	s := serve(t)
	_, witness := witnesstest.Key(t, "witness.test/a", "http://x")
	vkey := strings.Fields(witness)[1]
	if code, says := s.audit("log", s.url, "--token", s.token, "--witness", vkey); code != exitWrong || !strings.Contains(says, "cosigned by 0 of 1") {
		t.Errorf("a witness that signed nothing: exit code %d: %s", code, says)
	}
	for _, args := range [][]string{{"--witness", "nobody"}, {"--quorum", "1"}} {
		if code, says := s.audit(append([]string{"log", s.url}, args...)...); code != exitMisuse {
			t.Errorf("%v: exit code %d: %s", args, code, says)
		}
	}
	_, other, err := note.GenerateKey(rand.Reader, s.Origin())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(s.key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(other + "\n" + s.LogVerifier() + "\n")
	if code, says := s.audit("log", s.url, "--token", s.token); code != exitRight {
		t.Errorf("with two keys: exit code %d: %s", code, says)
	}
	write(other)
	if code, says := s.audit("log", s.url, "--token", s.token); code != exitWrong {
		t.Errorf("with another key: exit code %d: %s", code, says)
	}
	for _, text := range []string{"", "x", strings.Replace(other, s.Origin(), "timebank.test/another", 1)} {
		write(text)
		if code, says := s.audit("log", s.url, "--token", s.token); code != exitMisuse {
			t.Errorf("key file %q: exit code %d: %s", text, code, says)
		}
	}
}

// Whatever byte of the log is served otherwise, the log is wrong, and the leaf is named where it is one.
func TestAuditFindsAnyChangedByte(t *testing.T) {
	t.Parallel()
	s := serve(t)
	server, err := url.Parse(strings.TrimSuffix(s.url, "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	random := mathrand.New(mathrand.NewPCG(4, 2))
	for try := range 60 {
		path := []string{"/v1/tile/entries/000", "/v1/tile/0/000", "/v1/checkpoint"}[try%3]
		at := random.IntN(1 << 20)
		proxy := httputil.NewSingleHostReverseProxy(server)
		proxy.ModifyResponse = func(r *http.Response) error {
			if r.Request.URL.Path != path {
				return nil
			}
			data, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			data[at%len(data)] ^= 1 << (at % 8)
			r.Body = io.NopCloser(bytes.NewReader(data))
			return nil
		}
		h := httptest.NewServer(proxy)
		code, says := s.audit("log", h.URL+"/v1", "--token", s.token)
		h.Close()
		if code != exitWrong || path == "/v1/tile/entries/000" && !strings.Contains(says, "leaf ") {
			t.Errorf("byte %d of %s: exit code %d: %s", at, path, code, says)
		}
	}
}
