package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"timebank/ledger"
	"timebank/ledger/book/booktest"
)

func TestMain(m *testing.M) { booktest.Main(m) }

const (
	home  = "https://timebank.test"
	other = "https://elsewhere.test"
)

func newIssuer(t *testing.T) (*Issuer, *booktest.Book, ledger.Actor) {
	t.Helper()
	b := booktest.New(t)
	return New(b.Book, home, home+"/api", b.Config.Keys.Token), b, b.Organization(t)
}

func TestToken(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	token, err := i.Issue(t.Context(), station.Client, b.ClientSecret(station.Client), "")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("speaks for the client's subject in the client's role", func(t *testing.T) {
		got, err := i.Actor(t.Context(), token.Text, ScopeWrite)
		if err != nil || got != station {
			t.Errorf("Actor() = %+v, %v, want %+v", got, err, station)
		}
	})

	t.Run("is an RFC 9068 access token", func(t *testing.T) {
		var c jwt.MapClaims
		parsed, _, err := jwt.NewParser().ParseUnverified(token.Text, &c)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Header["typ"] != "at+jwt" || parsed.Header["alg"] != "EdDSA" || parsed.Header["kid"] == "" {
			t.Errorf("header is %v", parsed.Header)
		}
		for _, name := range []string{"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "role"} {
			if c[name] == nil {
				t.Errorf("the claim %s is missing", name)
			}
		}
		issued, err1 := c.GetIssuedAt()
		expires, err2 := c.GetExpirationTime()
		if err := errors.Join(err1, err2); err != nil || expires.Sub(issued.Time) != Lifetime {
			t.Errorf("lives %v, want %v (%v)", expires.Sub(issued.Time), Lifetime, err)
		}
	})

	t.Run("is verified by the published key", func(t *testing.T) {
		id, public := i.PublicKey()
		x, err := base64.RawURLEncoding.DecodeString(public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jwt.Parse(token.Text, func(*jwt.Token) (any, error) { return ed25519.PublicKey(x), nil }); err != nil {
			t.Errorf("verifying with the published key: %v", err)
		}
		if id != i.keyID {
			t.Errorf("the key is published as %s, tokens name %s", id, i.keyID)
		}
	})
}

func TestScope(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	for _, test := range []struct {
		name, asked, granted string
		read, write          error
		refused              error
	}{
		{name: "none asked is both", asked: "", granted: "read write"},
		{name: "both, twice, in any order", asked: "write read  write", granted: "read write"},
		{name: "read cannot write", asked: "read", granted: "read", write: ErrScope},
		{name: "write cannot read", asked: "write", granted: "write", read: ErrScope},
		{name: "what does not exist is refused", asked: "read admin", refused: ErrScopeUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			token, err := i.Issue(t.Context(), station.Client, b.ClientSecret(station.Client), test.asked)
			if !errors.Is(err, test.refused) || token.Scope != test.granted {
				t.Fatalf("Issue(%q) = %q, %v, want %q, %v", test.asked, token.Scope, err, test.granted, test.refused)
			}
			if test.refused != nil {
				return
			}
			if _, err := i.Actor(t.Context(), token.Text, ScopeRead); !errors.Is(err, test.read) {
				t.Errorf("reading: %v, want %v", err, test.read)
			}
			if _, err := i.Actor(t.Context(), token.Text, ScopeWrite); !errors.Is(err, test.write) {
				t.Errorf("writing: %v, want %v", err, test.write)
			}
		})
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	stranger := "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10"
	for _, test := range []struct{ name, id, secret string }{
		{"another's secret is refused", station.Client, b.ClientSecret(stranger)},
		{"no secret is refused", station.Client, ""},
		{"a client that was never issued is refused", stranger, b.ClientSecret(stranger)},
		{"what is no id is refused", "x", b.ClientSecret("x")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if token, err := i.Issue(t.Context(), test.id, test.secret, ""); !errors.Is(err, ErrClient) || token.Text != "" {
				t.Errorf("Issue() = %q, %v, want %v", token.Text, err, ErrClient)
			}
		})
	}
}

// TestForgedTokens starts from a good token and breaks one thing of it at a time.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	operator := b.Actor(t, ledger.RoleOperator, "")
	_, stolen, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := jwt.MapClaims{"iss": home, "sub": station.Client, "client_id": station.Client, "aud": home + "/api", "jti": "1", "role": "organization",
		"scope": "read write", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	header := map[string]any{"typ": "at+jwt", "kid": i.keyID}
	type forgery struct {
		name   string
		method jwt.SigningMethod
		key    any
		header map[string]any
		claims jwt.MapClaims
	}
	forge := func(f forgery) string {
		c, h := maps.Clone(good), maps.Clone(header)
		maps.Copy(c, f.claims)
		maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
		token := jwt.NewWithClaims(jwt.SigningMethod(jwt.SigningMethodEdDSA), c)
		key := any(i.key)
		if f.method != nil {
			token, key = jwt.NewWithClaims(f.method, c), f.key
		} else if f.key != nil {
			key = f.key
		}
		maps.Copy(h, f.header)
		maps.Copy(token.Header, h)
		maps.DeleteFunc(token.Header, func(_ string, v any) bool { return v == nil })
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatalf("signing a forgery: %v", err)
		}
		return signed
	}

	if got, err := i.Actor(t.Context(), forge(forgery{}), ScopeRead); err != nil || got != station {
		t.Fatalf("the token from which all forgeries are made: %+v, %v", got, err)
	}
	for _, f := range []forgery{
		{name: "signed with another key", key: stolen},
		{name: "not signed", method: jwt.SigningMethodNone, key: jwt.UnsafeAllowNoneSignatureType},
		{name: "signed with the public key as a password", method: jwt.SigningMethodHS256, key: []byte(i.key.Public().(ed25519.PublicKey))},
		{name: "signed by another algorithm", method: jwt.SigningMethodRS256, key: rsaKey},
		{name: "with another key's name", header: map[string]any{"kid": "another"}},
		{name: "without a key's name", header: map[string]any{"kid": nil}},
		{name: "of another type", header: map[string]any{"typ": "JWT"}},
		{name: "of no type", header: map[string]any{"typ": nil}},
		{name: "expired", claims: jwt.MapClaims{"exp": now.Add(-time.Minute).Unix()}},
		{name: "that never expires", claims: jwt.MapClaims{"exp": nil}},
		{name: "issued in the future", claims: jwt.MapClaims{"iat": now.Add(time.Minute).Unix()}},
		{name: "not yet valid", claims: jwt.MapClaims{"nbf": now.Add(time.Minute).Unix()}},
		{name: "issued at no time", claims: jwt.MapClaims{"iat": nil}},
		{name: "for another audience", claims: jwt.MapClaims{"aud": other}},
		{name: "for no audience", claims: jwt.MapClaims{"aud": nil}},
		{name: "of another issuer", claims: jwt.MapClaims{"iss": other}},
		{name: "of no issuer", claims: jwt.MapClaims{"iss": nil}},
		{name: "without an id", claims: jwt.MapClaims{"jti": nil}},
		{name: "whose subject is not its client", claims: jwt.MapClaims{"sub": operator.Client}},
		{name: "of a client that was never issued", claims: jwt.MapClaims{"sub": "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10", "client_id": "01920f3e-1c5a-7c3b-9a51-2f6d8e4b7a10"}},
		{name: "of what is no client", claims: jwt.MapClaims{"sub": "x", "client_id": "x"}},
		{name: "in a role that the book does not grant", claims: jwt.MapClaims{"role": "operator"}},
		{name: "with a claim of another type", claims: jwt.MapClaims{"scope": []string{"read", "write"}}},
	} {
		t.Run("one "+f.name+" is refused", func(t *testing.T) {
			if got, err := i.Actor(t.Context(), forge(f), ScopeRead); !errors.Is(err, ErrToken) || got != (ledger.Actor{}) {
				t.Errorf("Actor() = %+v, %v, want %v", got, err, ErrToken)
			}
		})
	}
	whole := forge(forgery{})
	for name, text := range map[string]string{"nothing": "", "two parts": whole[:strings.LastIndex(whole, ".")], "a changed letter": flip(whole),
		"something behind": whole + "x", "a line": whole + "\n", "too much": strings.Repeat("x", tokenBytes+1)} {
		t.Run(name+" is no token", func(t *testing.T) {
			if _, err := i.Actor(t.Context(), text, ScopeRead); !errors.Is(err, ErrToken) {
				t.Errorf("Actor(%q) error = %v, want %v", text, err, ErrToken)
			}
		})
	}
}

// flip changes the first letter of the claims.
func flip(token string) string {
	at := strings.IndexByte(token, '.') + 3
	return token[:at] + string(token[at]^1) + token[at+1:]
}

// TestRevocation asks as if time went on, without waiting for it.
func TestRevocation(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	token, err := i.Issue(t.Context(), station.Client, b.ClientSecret(station.Client), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Actor(t.Context(), token.Text, ScopeRead); err != nil {
		t.Fatal(err)
	}
	if _, err := b.RevokeClient(t.Context(), booktest.Operator, b.Key(), station.Client); err != nil {
		t.Fatal(err)
	}
	later, err := i.client(t.Context(), station.Client, clock().Add(5*time.Second))
	if err != nil || !later.Revoked {
		t.Errorf("five seconds later the client is %+v, %v, want it revoked", later, err)
	}
	if _, err := i.Actor(t.Context(), token.Text, ScopeRead); !errors.Is(err, ErrToken) {
		t.Errorf("the token of a revoked client: %v, want %v", err, ErrToken)
	}
	if _, err := i.Issue(t.Context(), station.Client, b.ClientSecret(station.Client), ""); !errors.Is(err, ErrClient) {
		t.Errorf("a new token for a revoked client: %v, want %v", err, ErrClient)
	}
}

// A token that was checked is remembered by its whole text and until its end: another text is checked anew, and so is
// the same one when its time is over.
func TestTokensAreRememberedUntilTheyEnd(t *testing.T) {
	t.Parallel()
	i, b, station := newIssuer(t)
	token, err := i.Issue(t.Context(), station.Client, b.ClientSecret(station.Client), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := i.Actor(t.Context(), token.Text, ScopeWrite); err != nil || got != station {
			t.Errorf("Actor() = %+v, %v, want %+v", got, err, station)
		}
	}
	if len(i.tokens) != 1 {
		t.Fatalf("%d tokens are remembered", len(i.tokens))
	}
	if _, err := i.Actor(t.Context(), flip(token.Text), ScopeWrite); !errors.Is(err, ErrToken) || len(i.tokens) != 1 {
		t.Errorf("a token with another signature, after the true one: %v, and %d are remembered", err, len(i.tokens))
	}
	for name, v := range i.tokens {
		if end := v.ExpiresAt.Add(leeway); !v.until.Equal(end) {
			t.Errorf("it is remembered until %v, and ends at %v", v.until, end)
		}
		v.ClientID, v.until = "somebody else", clock()
		i.tokens[name] = v
	}
	if got, err := i.Actor(t.Context(), token.Text, ScopeWrite); err != nil || got != station {
		t.Errorf("what was remembered beyond its time was used: %+v, %v", got, err)
	}
}
