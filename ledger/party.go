package ledger

// Place is where an organization works, in the tree of a city: district, street, community, grid.
// A level may be empty only when all below it are.
type Place struct {
	District  string `json:"district,omitempty"`
	Street    string `json:"street,omitempty"`
	Community string `json:"community,omitempty"`
	Grid      string `json:"grid,omitempty"`
}

// Check refuses a place with a gap in it or a name out of bounds.
func (p Place) Check() error {
	levels := []Text{
		{"/place/district", p.District, NameBytesMax, false},
		{"/place/street", p.Street, NameBytesMax, false},
		{"/place/community", p.Community, NameBytesMax, false},
		{"/place/grid", p.Grid, NameBytesMax, false},
	}
	for i := 1; i < len(levels); i++ {
		if levels[i].Value != "" && levels[i-1].Value == "" {
			return &Invalid{"place_incomplete", levels[i-1].Pointer,
				"a place names every level above its lowest: district, street, community, grid"}
		}
	}
	return CheckTexts(levels...)
}

// OrganizationKind says what an organization is.
type OrganizationKind string

// OrganizationKinds lists the kinds of organization that post hours.
var OrganizationKinds = []OrganizationKind{
	"social_organization", "community_centre", "community_team", "professional_team", "school_team", "hospital",
}

// VolunteerRole is what a volunteer is beside being a volunteer.
type VolunteerRole string

// VolunteerRoles lists the roles a volunteer may have.
var VolunteerRoles = []VolunteerRole{"medical_social_worker", "community_worker", "professional"}
