package workflows

import "time"

// The wire names. They live in the histories of running workflows and in the
// scripts of operators: they are only ever added to.
const (
	// WorkflowType is the type of Subject's workflow; its ID is the subject ID.
	WorkflowType = "Subject"

	// DefaultTaskQueue is where workers wait unless a setting says otherwise.
	DefaultTaskQueue = "holdfast"

	// SignalDoorbell wakes a subject. It carries no data.
	SignalDoorbell = "doorbell"
	// SignalOperate carries an Operate, for Temporal's batch tool. With no verb it
	// says that the subject row has changed and is to be read again.
	SignalOperate = "operate"

	// The updates carry an Operate and return a Status.
	UpdatePause  = "pause"
	UpdateResume = "resume"
	UpdatePark   = "park"

	// QueryStatus returns a Status.
	QueryStatus = "status"

	// ActivityDrain and ActivityOperate run as local activities. The recovery
	// activity has its handler's name as its type.
	ActivityDrain   = "Drain"
	ActivityOperate = "Operate"

	// SearchAttributeSource and SearchAttributeState are keywords. The state is set
	// only while a subject is retrying or held.
	SearchAttributeSource = "HoldfastSource"
	SearchAttributeState  = "HoldfastState"

	// The types of application errors. A Retryable one carries the time of the
	// next try; after any of the others the workflow looks at the subject row.
	ErrorRetryable = "Retryable"
	ErrorCritical  = "Critical"
	ErrorRefused   = "Refused" // an operator's verb that makes no sense now
)

// The values of SearchAttributeState and Status.State.
const (
	StateIdle     = "idle"
	StatePending  = "pending"
	StateRetrying = "retrying"
	StateHeld     = "held"
)

// Input starts a run. The subject is the workflow ID.
type Input struct {
	// State is the search attribute's value that the run before this one left.
	State string `json:"state,omitempty"`
}

// DrainInput is Drain's input.
type DrainInput struct {
	Subject       string `json:"subject"`
	RunID         string `json:"run_id"`
	OriginalRunID string `json:"original_run_id"`
	// AfterEpoch is the last epoch in the run's own history; 0 if there is none.
	AfterEpoch int64 `json:"after_epoch"`
	// Waits counts the drains just before this one that ended with OutcomeWait.
	Waits int `json:"waits,omitempty"`
}

// The outcomes of a drain.
const (
	OutcomeEmpty   = "empty"   // nothing was pending at the last look
	OutcomeMore    = "more"    // a budget was used up: drain again
	OutcomeWait    = "wait"    // drain again after Wait, at the latest
	OutcomeHeld    = "held"    // the subject is held: after Wait, or if that is 0 until told
	OutcomeRecover = "recover" // Head failed: run its recovery activity
)

// DrainOutput is what a drain tells the workflow. It holds no payload.
type DrainOutput struct {
	Outcome string `json:"outcome"`
	// Epoch is the claim's, 0 if none was made.
	Epoch   int64 `json:"epoch"`
	Settled int   `json:"settled"`
	// Reopened counts the events that a reset made pending again.
	Reopened int           `json:"reopened,omitempty"`
	Wait     time.Duration `json:"wait,omitempty"`
	Until    time.Time     `json:"until,omitzero"` // when Wait is over, for people
	// Reason says what is waited for, or why the subject is held; By is who holds it.
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
	Head   *Head  `json:"head,omitempty"`
	// Policy is what the workflow needs of the worker's settings.
	Policy Policy `json:"policy"`
}

// Head describes a subject's first pending event.
type Head struct {
	Sequence int64     `json:"sequence"`
	Type     string    `json:"type"`
	Handler  string    `json:"handler"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"`
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// Policy is the part of the worker's settings that the workflow acts on. It comes
// with each recorded result, so that a replay never reads a newer one.
type Policy struct {
	RecoverTimeout time.Duration `json:"recover_timeout"` // of one attempt, with what surrounds it
	Linger         time.Duration `json:"linger,omitempty"`
}

// RecoverInput is the input of a recovery activity.
type RecoverInput struct {
	Subject       string `json:"subject"`
	Sequence      int64  `json:"sequence"`
	OriginalRunID string `json:"original_run_id"`
	AfterEpoch    int64  `json:"after_epoch"`
}

// RecoverOutput is the result of a recovery activity that needs no other attempt.
type RecoverOutput struct {
	Epoch int64 `json:"epoch"`
	// Settled tells that this activity settled the event. Without it there was
	// nothing left to do: the event was settled otherwise, or the subject is held.
	Settled bool `json:"settled,omitempty"`
}

// Operate is an operator's verb, as an update or a signal carries it.
type Operate struct {
	Verb     string    `json:"verb,omitempty"` // in a signal: pause or resume; empty: read the row again
	Sequence int64     `json:"sequence,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	By       string    `json:"by,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

// OperateInput is the input of the activity ActivityOperate.
type OperateInput struct {
	Subject string `json:"subject"`
	// RequestID makes the verb idempotent: "update:", the original run's ID and the
	// update's, or "signal:", the run's ID and a number.
	RequestID string `json:"request_id"`
	Operate
}

// Status is what a run knows of its subject.
type Status struct {
	Subject string `json:"subject"`
	State   string `json:"state"`
	Settled int    `json:"settled"` // by this run
	Head    *Head  `json:"head,omitempty"`
	Reason  string `json:"reason,omitempty"`
	By      string `json:"by,omitempty"`
	// Until is when a hold or a wait ends; zero: when an operator acts.
	Until time.Time `json:"until,omitzero"`
}
