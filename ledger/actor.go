package ledger

// Role says what a client may do. A token can only narrow it.
type Role string

// The roles of clients.
const (
	RoleOperator      Role = "operator"       // registers organizations, volunteers, partners and clients
	RolePolicyOfficer Role = "policy_officer" // drafts rule sets, and approves those of others
	RoleOrganization  Role = "organization"   // posts hours of its volunteers and corrects them
	RolePartner       Role = "partner"        // holds, confirms and cancels redemptions
	RoleVolunteer     Role = "volunteer"      // reads own balances, and those of wards; gives consent
	RoleAuditor       Role = "auditor"        // reads everything, pseudonymous; writes nothing
)

// Roles lists every role.
var Roles = []Role{RoleOperator, RolePolicyOfficer, RoleOrganization, RolePartner, RoleVolunteer, RoleAuditor}

// Actor is who asks: a client, its role, and the one organization, partner or volunteer it acts for.
type Actor struct {
	Client  string // the client's id
	Role    Role
	Subject string // id of its organization, partner or volunteer; empty for operator and auditor
}

// May gives ErrForbidden unless the actor has one of the roles.
func (a Actor) May(roles ...Role) error {
	for _, r := range roles {
		if a.Role == r {
			return nil
		}
	}
	return ErrForbidden
}
