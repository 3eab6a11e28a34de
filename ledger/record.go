package ledger

// Posted is a posting with the account it touches and that account's balance after the entry.
type Posted struct {
	Posting
	Owner   Owner
	Purpose Purpose
	Balance Minutes
}

// Record is an entry as kept, with what it is about.
type Record struct {
	Entry
	Lines        []Posted
	Leaf         []byte
	LeafHash     Hash
	Organization string // ids of whom the entry is about; empty where nobody
	Volunteer    string
	Partner      string
	CorrectedBy  *Seq
}
