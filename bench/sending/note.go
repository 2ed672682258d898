package sending

import "github.com/holdfast-project/holdfast/bench/verdict"

// Note adds what became of one more request to what is known of its event.
func (a Answer) Note(s *verdict.Sending) {
	s.Requests++
	switch {
	case a.Status == 0:
		s.Unanswered++
	case !a.Accepted():
		s.Refused++
	default:
		known := verdict.Answer{At: a.At, Took: a.At.Sub(a.Begun)}
		if len(a.Receipts) == 1 {
			one := a.Receipts[0]
			known.EventID, known.Sequence, known.Duplicate = one.EventID, one.Sequence, one.Duplicate
		}
		s.Answers = append(s.Answers, known)
	}
}
