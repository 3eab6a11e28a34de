package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"timebank/policy"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Check, read, compare, draft and activate rule sets",
		Example: "  timebank policy lint city.yaml --scenarios city.txt\n  timebank policy diff old.yaml city.yaml"}
	cmd.AddCommand(policyLintCommand(), policyShowCommand(), policyExplainCommand(), policyDiffCommand(), policyReplayCommand(), policySimulateCommand(),
		policyDraftCommand(), policyActCommand("approve", "Approve a draft that somebody else made"),
		policyActCommand("activate", "Put an approved draft into force, as another person than who approved it"))
	return cmd
}

// ruleSource reads the text of a rule set: of a file, or by the name of one that comes with the program,
// "shipped" or a preset.
func ruleSource(file string) ([]byte, error) {
	if file == "shipped" {
		return policy.Shipped(), nil
	}
	if source, ok := policy.Preset(file); ok {
		return source, nil
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, misuse("%w, nor is it one of shipped, %s", err, strings.Join(policy.Presets(), ", "))
	}
	return source, nil
}

func readRuleSet(file string) (*policy.Rules, error) {
	source, err := ruleSource(file)
	if err != nil {
		return nil, err
	}
	r, err := policy.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%s is no rule set:\n%w", file, err)
	}
	return r, nil
}

func policyLintCommand() *cobra.Command {
	var scenarios string
	cmd := &cobra.Command{
		Use: "lint FILE", Short: "Tell every fault of a rule set, with its line", Args: exactly(1),
		Example: "  timebank policy lint city.yaml --scenarios city.txt",
		Long: `Reads a rule set as the server would and tells every fault with its line; then what is
allowed and looks like a mistake. With --scenarios it also runs a file of scenarios
(docs/policy.md tells how to write them). Exits with 1 when there is a fault.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := readRuleSet(args[0])
			if err != nil {
				return err
			}
			warnings, err := policy.Lint(r)
			if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintln(cmd.OutOrStdout(), "warning:", w)
			}
			ran := 0
			if scenarios != "" {
				if ran, err = runScenarios(r, scenarios); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rules, %d scenarios, %d warnings; hash %s\n", r.ID(), len(r.InWords(policy.English)), ran, len(warnings), r.Hash())
			return nil
		},
	}
	cmd.Flags().StringVar(&scenarios, "scenarios", "", "file of scenarios that must come out as told")
	return cmd
}

func runScenarios(r *policy.Rules, file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, misuse("%w", err)
	}
	all, err := policy.ParseScenarios(string(text))
	if err != nil {
		return 0, fmt.Errorf("%s cannot be read:\n%w", file, err)
	}
	for _, s := range all {
		if err := s.Run(r); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
	}
	return len(all), nil
}

func policyShowCommand() *cobra.Command {
	var server, on, lang string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show [FILE]", Short: "Tell the rules in plain words: of a file, or those in force", Args: cobra.MaximumNArgs(1),
		Example: "  timebank policy show shipped --lang zh\n  timebank policy show --on 2027-01-01",
		RunE: func(cmd *cobra.Command, args []string) error {
			if lang != string(policy.English) && lang != string(policy.Chinese) {
				return misuse("--lang is en or zh")
			}
			p, err := shownPolicy(cmd, server, on, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), p)
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s (%s, from %s)\n\n", p.Title.in(lang), p.RuleSet.ID, p.EffectiveFrom)
			for _, r := range p.Rules {
				fmt.Fprintf(out, "%s\n    %s\n    [%s]\n", r.ID, r.Text.in(lang), r.Source)
			}
			return nil
		},
	}
	serverFlag(cmd, &server)
	cmd.Flags().StringVar(&on, "on", "", "the day whose rules are asked for, today when not given")
	cmd.Flags().StringVar(&lang, "lang", "en", "en or zh")
	jsonFlag(cmd, &asJSON)
	return cmd
}

type bothWords struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

func (w bothWords) in(lang string) string {
	if lang == string(policy.Chinese) {
		return w.ZH
	}
	return w.EN
}

type shownRule struct {
	ID     string    `json:"id"`
	Text   bothWords `json:"text"`
	Source string    `json:"source"`
}

type shownSet struct {
	RuleSet struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
	} `json:"rule_set"`
	Title         bothWords   `json:"title"`
	EffectiveFrom string      `json:"effective_from"`
	Rules         []shownRule `json:"rules"`
}

// shownPolicy reads the rules of a file, or asks a server for those in force.
func shownPolicy(cmd *cobra.Command, server, on string, args []string) (p shownSet, err error) {
	if len(args) == 0 {
		path := "/v1/policy"
		if on != "" {
			path += "?on=" + on
		}
		return p, newCaller(server, "").get(cmd.Context(), path, &p)
	}
	r, err := readRuleSet(args[0])
	if err != nil {
		return p, err
	}
	p.RuleSet.ID, p.RuleSet.Hash = r.ID(), r.Hash().String()
	p.Title, p.EffectiveFrom = bothWords{r.Title(policy.English), r.Title(policy.Chinese)}, r.EffectiveFrom().String()
	zh := r.InWords(policy.Chinese)
	for i, w := range r.InWords(policy.English) {
		p.Rules = append(p.Rules, shownRule{w.ID, bothWords{w.Text, zh[i].Text}, w.Source})
	}
	return p, nil
}

func policyExplainCommand() *cobra.Command {
	var server, token, lang string
	cmd := &cobra.Command{
		Use: "explain SEQ", Short: "Tell why an entry is what it is", Args: exactly(1),
		Example: "  timebank policy explain 41 --lang zh",
		RunE: func(cmd *cobra.Command, args []string) error {
			var e struct {
				RuleSet struct {
					ID string `json:"id"`
				} `json:"rule_set"`
				Steps, Nearly []struct {
					Words bothWords `json:"words"`
				}
			}
			c, err := tokenCaller(server, token)
			if err != nil {
				return err
			}
			if err := c.get(cmd.Context(), "/v1/entries/"+args[0]+"/explanation", &e); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "decided by %s\n", e.RuleSet.ID)
			for _, s := range append(e.Steps, e.Nearly...) {
				fmt.Fprintln(out, "-", s.Words.in(lang))
			}
			return nil
		},
	}
	serverFlag(cmd, &server)
	tokenFlag(cmd, &token)
	cmd.Flags().StringVar(&lang, "lang", "en", "en or zh")
	return cmd
}

func policyDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff FILE FILE", Short: "Tell rule by rule what the second set has otherwise; shipped is the one that comes with the program", Args: exactly(2),
		Example: "  timebank policy diff shipped city.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readRuleSet(args[0])
			if err != nil {
				return err
			}
			b, err := readRuleSet(args[1])
			if err != nil {
				return err
			}
			changes, err := policy.Diff(a, b)
			if err != nil {
				return err
			}
			for _, c := range changes {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n%s%s", c.Rule, c.What, marked("- ", c.Before), marked("+ ", c.After))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d differences\n", len(changes))
			return nil
		},
	}
}
