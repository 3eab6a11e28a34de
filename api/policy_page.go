package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"timebank/api/gen"
	"timebank/api/web"
	"timebank/ledger"
	"timebank/policy"
)

// policyPage is what the page of a rule set shows.
type policyPage struct {
	Lang, OtherLang, OtherName, On        string
	Title, Intro, SourceWord, ChoicesWord string
	ID, Author, Approver, Hash            string
	Rules                                 []policy.RuleInWords
	Choices                               []policy.Choice
}

// GetPolicyPage tells the rules in force as a page for people.
func (s *Server) GetPolicyPage(ctx context.Context, r gen.GetPolicyPageRequestObject) (gen.GetPolicyPageResponseObject, error) {
	rules, on, err := s.rulesOn(ctx, r.Params.On)
	if err != nil {
		return nil, err
	}
	lang := policy.Lang(deref(r.Params.Lang))
	if lang == "" {
		lang = preferred(deref(r.Params.AcceptLanguage))
	}
	p := policyPage{
		Lang: string(lang), On: on.String(), Title: rules.Title(lang), ID: rules.ID(), Author: rules.Author(), Approver: rules.Approver(),
		Hash: rules.Hash().String(), Rules: append(rules.InWords(lang), rules.Notices(lang)...), Choices: rules.Choices(lang),
	}
	if lang == policy.Chinese {
		p.OtherLang, p.OtherName, p.SourceWord, p.ChoicesWord = "en", "English", "依据", "可以选择的事项"
		p.Intro = fmt.Sprintf("以下规则适用于 %s 的服务，自 %s 起施行。服务记录始终是实际服务时间，任何规则不得改变。", on, rules.EffectiveFrom())
	} else {
		p.OtherLang, p.OtherName, p.SourceWord, p.ChoicesWord = "zh", "中文", "Source", "What people choose"
		p.Intro = fmt.Sprintf("These rules decide service of %s; they are in force from %s. The service record is always the time really served: no rule can change it.",
			on, rules.EffectiveFrom())
	}
	var page strings.Builder
	if err := web.Policy.Execute(&page, p); err != nil {
		return nil, fmt.Errorf("writing the page of the rules: %w", err)
	}
	return plain{200, "text/html; charset=utf-8", page.String()}, nil
}

// preferred gives Chinese to whoever asks for it before English.
func preferred(accept string) policy.Lang {
	zh, en := strings.Index(accept, "zh"), strings.Index(accept, "en")
	if zh >= 0 && (en < 0 || zh < en) {
		return policy.Chinese
	}
	return policy.English
}

// rulesOn gives the rules in force on a day, today when none is named.
func (s *Server) rulesOn(ctx context.Context, asked *string) (*policy.Rules, ledger.Date, error) {
	on, err := optionalDate("/on", asked)
	if err != nil {
		return nil, 0, err
	}
	if on == nil {
		now, err := s.book.Now(ctx)
		if err != nil {
			return nil, 0, err
		}
		today := ledger.DateOf(now.In(s.book.Zone()))
		on = &today
	}
	rules, err := s.book.RulesInForce(ctx, *on)
	if errors.Is(err, ledger.ErrRefused) {
		return nil, 0, ledger.ErrNotFound
	}
	return rules, *on, err
}
