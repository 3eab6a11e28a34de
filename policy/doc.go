// Package policy decides what a claim of service becomes, and when care credit may be held, by a rule
// set that is data: a YAML document whose conditions are CEL expressions over typed facts.
//
// It is pure: (rules, facts) give a decision with its explanation, or a refusal that names the rule.
// The same rule set and the same facts give the same bytes, always; so history can be decided again.
// Its invariants:
//
//   - No rule touches the service record: what was really served is recorded as it is.
//   - No float, no clock, no iteration order has a part in a decision; each expression has a cost limit.
//   - Splitting a claim never earns more than the whole.
//
// A *Rules never changes after Parse and may be used by any number of goroutines.
package policy
