package inbox

import "time"

// Status is what became of an event. The list is closed.
type Status string

// The statuses of an event. All but StatusPending are outcomes.
const (
	StatusPending     Status = "pending"     // accepted, to be handled
	StatusDelivered   Status = "delivered"   // its handler said yes
	StatusParked      Status = "parked"      // set aside with its reason; the queue went on
	StatusFailed      Status = "failed"      // its handler said no, and its source is staging
	StatusQuarantined Status = "quarantined" // genuine, but not understood: never handled
)

// Statuses lists every Status.
func Statuses() []Status {
	return []Status{StatusPending, StatusDelivered, StatusParked, StatusFailed, StatusQuarantined}
}

// NewEvent is an event to be appended.
type NewEvent struct {
	EventID  string
	Source   string
	Provider string
	Subject  string // subject ID; empty only for a quarantined event whose subject is unknown
	// SubjectName is the subject ID before it was hashed or shortened.
	SubjectName string
	Type        string
	Key         string        // empty: never a duplicate
	KeyLife     time.Duration // zero: as long as the event is kept
	Digest      string        // see providers.Event
	At          time.Time     // zero: unknown
	ReceivedAt  time.Time
	Index       int      // which of its request's events, from 0
	Related     []string // subject IDs
	Staging     bool
	// Quarantine, when not empty, is why the event is stored as quarantined.
	Quarantine string
}

// Delivery is what one request brought: its events and the one payload they share.
type Delivery struct {
	ContentType string
	Body        []byte
	Events      []NewEvent
}

// Receipt says what became of an appended event.
type Receipt struct {
	EventID   string // of the first copy if it is a duplicate
	Sequence  int64
	Subject   string
	Duplicate bool
	Status    Status
	// Ring is set when the subject's pending count was 0 before this event: the
	// caller must ring the subject.
	Ring bool
}

// Event is a stored event without its payload. Zero times and numbers mean that
// there is no such thing yet.
type Event struct {
	Sequence   int64
	EventID    string
	Source     string
	Provider   string
	Subject    string
	Type       string
	Key        string
	At         time.Time
	ReceivedAt time.Time
	Index      int
	Related    []string
	Staging    bool

	Status    Status
	Attempts  int    // real attempts to handle it
	Reason    string // why it is not delivered: of the outcome, or of the last attempt
	Handler   string // that settled it or tried last
	SettledAt time.Time
	Run       string // that settled it: see IsRelief; empty: none did, as when an operator parked it
	Redo      int    // how often a reset reopened it
	ReplayOf  int64  // sequence of the event it is a replay of
}

// Payload is the body of the request that brought an event, byte for byte.
type Payload struct {
	ContentType string
	Body        []byte
}

// Entry is an event with its payload, as a drain sees it.
type Entry struct {
	Event
	Payload Payload
}
