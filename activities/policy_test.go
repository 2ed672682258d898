package activities

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
)

func policyConfig() Config {
	return Config{
		RetryInitial: time.Second, RetryMaxInterval: 5 * time.Minute, RetryBudget: time.Hour,
		PauseInitial: time.Hour, PauseMax: 24 * time.Hour,
	}
}

var errPlain = errors.New("503")

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject inbox.Subject
		err     error
		jitter  float64
		want    verdict
	}{
		"FirstFailureWaitsTheInitialInterval":   {err: errPlain, jitter: 1, want: verdict{wait: time.Second, spent: 2 * time.Second}},
		"JitterTakesAtMostHalf":                 {err: errPlain, jitter: 0, want: verdict{wait: time.Second / 2, spent: 3 * time.Second / 2}},
		"WaitsDouble":                           {subject: inbox.Subject{Streak: 5}, err: errPlain, jitter: 1, want: verdict{wait: 32 * time.Second, spent: 33 * time.Second}},
		"WaitsHaveALimit":                       {subject: inbox.Subject{Streak: 500}, err: errPlain, jitter: 1, want: verdict{wait: 5 * time.Minute, spent: 5*time.Minute + time.Second}},
		"RetryAfterIsAFloor":                    {err: RetryAfter(time.Minute, errPlain), want: verdict{wait: time.Minute, spent: time.Minute + time.Second}},
		"RetryAfterShortensNothing":             {subject: inbox.Subject{Streak: 9}, err: RetryAfter(time.Second, errPlain), jitter: 1, want: verdict{wait: 5 * time.Minute, spent: 5*time.Minute + time.Second}},
		"RetryAfterMayExceedTheBudget":          {err: RetryAfter(3*time.Hour, errPlain), want: verdict{wait: 3 * time.Hour, spent: 3*time.Hour + time.Second}},
		"TheAttemptAfterThatIsTheLast":          {subject: inbox.Subject{Streak: 1, Spent: 3 * time.Hour}, err: errPlain, want: verdict{wait: time.Hour, hold: true, spent: time.Second}},
		"TheBudgetIsSpent":                      {subject: inbox.Subject{Streak: 9, Spent: time.Hour - time.Second}, err: errPlain, want: verdict{wait: time.Hour, hold: true, spent: time.Second}},
		"CriticalHoldsAtOnce":                   {err: Critical(errPlain), want: verdict{wait: time.Hour, hold: true, spent: time.Second}},
		"AHoldIsNeverShorterThanRetryAfter":     {err: criticalAfter(30*time.Hour, errPlain), want: verdict{wait: 30 * time.Hour, hold: true, spent: time.Second}},
		"AFailureAfterAHoldHoldsTwiceAsLong":    {subject: inbox.Subject{Streak: 1, Holds: 1}, err: errPlain, want: verdict{wait: 2 * time.Hour, hold: true, spent: time.Second}},
		"HoldsHaveALimit":                       {subject: inbox.Subject{Streak: 1, Holds: 99}, err: errPlain, want: verdict{wait: 24 * time.Hour, hold: true, spent: time.Second}},
		"RetryAfterOfARetryableStretchesAHold":  {subject: inbox.Subject{Holds: 1}, err: RetryAfter(3*time.Hour, errPlain), want: verdict{wait: 3 * time.Hour, hold: true, spent: time.Second}},
		"AnotherErrorAroundACriticalIsCritical": {err: errors.Join(errors.New("deliver"), Critical(errPlain)), want: verdict{wait: time.Hour, hold: true, spent: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, policyConfig().judge(c.subject, c.err, time.Second, c.jitter))
		})
	}
}

func TestTextOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b ? c", textOf(errors.New("a\n b\t\xff c")))
	long := make([]rune, 600)
	for i := range long {
		long[i] = 'é'
	}
	text := textOf(errors.New(string(long)))
	require.LessOrEqual(t, len(text), maxErrorText+len("…"))
	require.Regexp(t, "^é+…$", text)
}
