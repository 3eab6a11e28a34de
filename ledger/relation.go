package ledger

// RelationKind says what a relative is to somebody.
type RelationKind string

// The relations that are registered: spouses, and relatives of the direct line.
const (
	Spouse      RelationKind = "spouse"
	Parent      RelationKind = "parent"
	Child       RelationKind = "child"
	Grandparent RelationKind = "grandparent"
	Grandchild  RelationKind = "grandchild"
)

// Inverse gives what somebody is to the relative, and false for what is no relation.
func (k RelationKind) Inverse() (RelationKind, bool) {
	inverse, ok := map[RelationKind]RelationKind{
		Spouse: Spouse, Parent: Child, Child: Parent, Grandparent: Grandchild, Grandchild: Grandparent,
	}[k]
	return inverse, ok
}
