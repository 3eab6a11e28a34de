// Package auth turns bearer tokens and client credentials into a ledger.Actor.
//
// A token is an RFC 9068 access token signed with EdDSA by this installation. It only proves which
// client calls: the role and whom the client acts for are read from the book, so that a revocation
// bites within seconds and a token can never grant more than the book does.
package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"timebank/ledger"
	"timebank/ledger/book"
)

const (
	// Lifetime of a token: short, since it cannot be taken back other than by revoking its client.
	Lifetime = 15 * time.Minute
	// clientAge is how long a client's row is believed; a revocation bites within it.
	clientAge = 3 * time.Second
	// clientsMax bounds the rows that are remembered.
	clientsMax = 10_000
	// tokensMax bounds the checked tokens that are remembered, at some hundred bytes each.
	tokensMax  = 10_000
	leeway     = 5 * time.Second
	tokenType  = "at+jwt"
	tokenBytes = 4096 // no token of ours is half as long
)

// ErrToken says that a token is missing, expired, forged, or of a client that may not come in any more.
var ErrToken = errors.New("the token is not valid")

// ErrClient says that client credentials are wrong. It does not tell what is wrong with them.
var ErrClient = errors.New("the client's credentials are not valid")

// ErrScope says that a token was asked for with less than the request needs.
var ErrScope = errors.New("the token's scope does not cover this")

// ErrScopeUnknown says that a token was asked for with a scope that does not exist.
var ErrScopeUnknown = errors.New(`a scope is "read", "write" or "read write"`)

// The scopes of tokens. A token asked for without a scope has both; a scope only narrows what the
// client's role may do.
const (
	ScopeRead  = "read"
	ScopeWrite = "write"
)

// Issuer issues and checks the tokens of one installation. It may be used by any number of goroutines.
type Issuer struct {
	book     *book.Book
	issuer   string
	audience string
	key      ed25519.PrivateKey
	keyID    string
	parser   *jwt.Parser
	mu       sync.Mutex
	clients  map[string]known
	tokens   map[[sha256.Size]byte]verified // by the hash of the whole text
}

type known struct {
	client book.Client
	until  time.Time
}

// New makes an issuer.
func New(b *book.Book, issuer, audience string, key ed25519.PrivateKey) *Issuer {
	sum := sha256.Sum256(key.Public().(ed25519.PublicKey))
	return &Issuer{book: b, issuer: issuer, audience: audience, key: key, keyID: base64.RawURLEncoding.EncodeToString(sum[:8]),
		clients: map[string]known{}, tokens: map[[sha256.Size]byte]verified{},
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding())}
}

type claims struct {
	jwt.RegisteredClaims
	ClientID string      `json:"client_id"`
	Role     ledger.Role `json:"role"`
	Scope    string      `json:"scope"`
}

// grantedScope gives the scope of a token that was asked for with one.
func grantedScope(asked string) (string, error) {
	names := strings.Fields(asked)
	if len(names) == 0 {
		return ScopeRead + " " + ScopeWrite, nil
	}
	for _, name := range names {
		if name != ScopeRead && name != ScopeWrite {
			return "", ErrScopeUnknown
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " "), nil
}

// Token is an access token as it was issued.
type Token struct {
	Text  string
	Scope string
}

// Issue gives a token for credentials. Scope narrows it; an empty one does not.
func (i *Issuer) Issue(ctx context.Context, id, secret, scope string) (Token, error) {
	if !i.book.CheckClientSecret(id, secret) { // first: it needs no query, and fails the same for an unknown id
		return Token{}, ErrClient
	}
	granted, err := grantedScope(scope)
	if err != nil {
		return Token{}, err
	}
	c, err := i.book.Client(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && c.Revoked {
		return Token{}, ErrClient
	}
	if err != nil {
		return Token{}, err
	}
	now, err := i.book.Now(ctx)
	if err != nil {
		return Token{}, fmt.Errorf("reading the clock: %w", err)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{Issuer: i.issuer, Subject: id, Audience: jwt.ClaimStrings{i.audience}, ID: uuid.NewString(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime))},
		ClientID: id, Role: c.Role, Scope: granted,
	})
	t.Header["typ"], t.Header["kid"] = tokenType, i.keyID
	signed, err := t.SignedString(i.key)
	return Token{signed, granted}, err
}

// Actor gives who a token speaks for, if it may be used for a scope.
func (i *Issuer) Actor(ctx context.Context, token, scope string) (ledger.Actor, error) {
	if len(token) > tokenBytes || strings.ContainsAny(token, "\r\n") { // base64 passes over line ends
		return ledger.Actor{}, ErrToken
	}
	now := clock()
	c, err := i.verify(token, now)
	if err != nil {
		return ledger.Actor{}, err
	}
	client, err := i.client(ctx, c.ClientID, now)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && (client.Revoked || client.Role != c.Role) {
		return ledger.Actor{}, fmt.Errorf("%w: its client was revoked", ErrToken)
	}
	if err == nil && !slices.Contains(strings.Fields(c.Scope), scope) {
		return ledger.Actor{}, ErrScope
	}
	return ledger.Actor{Client: client.ID, Role: client.Role, Subject: client.Subject}, err
}

// verified is what a token says whose signature was checked.
type verified struct {
	claims
	until time.Time
}

// verify checks a token, or remembers that the very same text was checked before: a signature takes longer to
// check than all else about a request. Only time can make it invalid since; what its client may still do is
// asked of the book.
func (i *Issuer) verify(token string, now time.Time) (claims, error) {
	name := sha256.Sum256([]byte(token))
	i.mu.Lock()
	v, ok := i.tokens[name]
	i.mu.Unlock()
	if ok && now.Before(v.until) {
		return v.claims, nil
	}
	c, err := i.parse(token)
	if err != nil {
		return c, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.tokens) >= tokensMax {
		clear(i.tokens)
	}
	i.tokens[name] = verified{c, c.ExpiresAt.Add(leeway)}
	return c, nil
}

// parse checks all of a token that is in its text.
func (i *Issuer) parse(token string) (c claims, err error) {
	t, err := i.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != i.keyID {
			return nil, errors.New("the token is signed with another key")
		}
		return i.key.Public(), nil
	})
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if t.Header["typ"] != tokenType || c.Subject != c.ClientID || c.ID == "" || c.IssuedAt == nil {
		return c, fmt.Errorf("%w: it is not an access token", ErrToken)
	}
	return c, nil
}

// client reads a client's row, or remembers one that was read a moment ago.
func (i *Issuer) client(ctx context.Context, id string, now time.Time) (book.Client, error) {
	i.mu.Lock()
	k, ok := i.clients[id]
	i.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.client, nil
	}
	c, err := i.book.Client(ctx, id)
	if err != nil {
		return c, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.clients) >= clientsMax {
		clear(i.clients)
	}
	i.clients[id] = known{c, now.Add(clientAge)}
	return c, nil
}

// PublicKey gives the name of the key that signs tokens and its public half in base64url, as a JSON Web
// Key has it (RFC 8037).
func (i *Issuer) PublicKey() (id, x string) {
	return i.keyID, base64.RawURLEncoding.EncodeToString(i.key.Public().(ed25519.PublicKey))
}

// clock decides only how long a row is remembered; tokens are issued by the database's clock.
func clock() time.Time { return time.Now() } //nolint:forbidigo // the age of a remembered row
