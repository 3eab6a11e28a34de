package witness

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
)

// witnessesMax bounds a group: each checkpoint carries a line of each.
const witnessesMax = 32

// ParseGroup reads the file that names the witnesses, a line each:
//
//	witness VKEY URL   a witness, by its public key as a signed note's verifier, and where it is
//	quorum N           how many must cosign before a checkpoint is published; 0 without it
//
// Empty lines and what follows # do not count.
func ParseGroup(text string) (*Group, error) {
	g, seen, quorum := &Group{}, map[string]bool{}, false
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var err error
		switch {
		case fields[0] == "witness" && len(fields) == 3:
			err = g.add(fields[1], fields[2], seen)
		case fields[0] == "quorum" && len(fields) == 2 && !quorum:
			quorum = true
			g.Quorum, err = strconv.Atoi(fields[1])
		default:
			err = errors.New(`it is neither "witness VKEY URL" nor the only "quorum N"`)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if g.Quorum < 0 || g.Quorum > len(g.witnesses) {
		return nil, fmt.Errorf("a quorum of %d, of %d witnesses", g.Quorum, len(g.witnesses))
	}
	return g, nil
}

func (g *Group) add(vkey, address string, seen map[string]bool) error {
	v, err := fnote.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		return fmt.Errorf("the witness's key: %w", err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%.200q is not the address of a witness", address)
	}
	if seen[v.Name()] || len(g.witnesses) == witnessesMax {
		return fmt.Errorf("witness %s is named twice, or is one of more than %d", v.Name(), witnessesMax)
	}
	seen[v.Name()] = true
	g.witnesses = append(g.witnesses, &asked{url: strings.TrimSuffix(address, "/"), verifier: v, http: &http.Client{
		// A witness is where it is said to be: whoever redirects is not asked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	return nil
}
