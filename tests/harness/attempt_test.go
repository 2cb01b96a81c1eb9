package harness

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// observed is a test that another one looks at.
type observed struct {
	testing.TB
	failures []string
	ended    bool
}

func (o *observed) Helper() {}

func (o *observed) Errorf(format string, args ...any) {
	o.failures = append(o.failures, fmt.Sprintf(format, args...))
}

func (o *observed) FailNow() {
	o.ended = true
	runtime.Goexit()
}

// observe runs a test in a namespace with one pod, in which the API server answers a list as long as it likes, or with an error.
func observe(t *testing.T, answer func() error, test func(n *Namespace)) *observed {
	t.Helper()
	client := fake.NewClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "t-1"}})
	client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, apiruntime.Object, error) {
		err := answer()
		return err != nil, nil, err
	})
	o, done := &observed{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		test(&Namespace{Name: "t-1", Client: client, t: newTester(o)})
	}()
	<-done
	return o
}

// times returns an error as often as said, and then none.
func times(count int, err error) func() error {
	return func() error {
		count--
		if count < 0 {
			return nil
		}
		return err
	}
}

var hiccups = map[string]error{
	"connection refused": fmt.Errorf("dial tcp 127.0.0.1:6443: %w", syscall.ECONNREFUSED),
	"500":                apierrors.NewInternalError(fmt.Errorf("etcdserver: leader changed")),
	"429":                apierrors.NewTooManyRequests("too many requests", 1),
	"a time-out":         apierrors.NewTimeoutError("the server did not answer", 1),
}

func TestAConditionIsTriedAgainWhereTheAPIServerHiccups(t *testing.T) {
	t.Parallel()
	for name, hiccup := range hiccups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := 0

			test := observe(t, times(3, hiccup), func(n *Namespace) {
				n.Eventually(time.Minute, "there is a pod", func() bool {
					found = len(n.Pods(""))
					return found == 1
				})
			})

			assert.Empty(t, test.failures)
			assert.False(t, test.ended)
			assert.Equal(t, 1, found)
		})
	}
}

func TestAConditionThatNeverHoldsSaysWhatFailedInIt(t *testing.T) {
	t.Parallel()
	for name, hiccup := range hiccups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test := observe(t, times(1000, hiccup), func(n *Namespace) {
				n.Eventually(300*time.Millisecond, "there is a pod", func() bool { return len(n.Pods("")) == 1 })
			})

			assert.True(t, test.ended)
			require.Len(t, test.failures, 1)
			assert.Contains(t, test.failures[0], "there is a pod")
			assert.Contains(t, test.failures[0], "not within 300ms")
			assert.Contains(t, test.failures[0], hiccup.Error())
		})
	}
}

func TestWhatIsAskedOutsideOfAConditionEndsTheTest(t *testing.T) {
	t.Parallel()
	test := observe(t, times(1, hiccups["500"]), func(n *Namespace) {
		n.Eventually(time.Minute, "anything", func() bool { return true })
		n.Pods("")
	})

	assert.True(t, test.ended)
	require.Len(t, test.failures, 1)
	assert.Contains(t, test.failures[0], "leader changed")
}

func TestWhatFailsBesideAConditionFailsTheTest(t *testing.T) {
	t.Parallel()
	test := observe(t, times(0, nil), func(n *Namespace) {
		n.Eventually(time.Minute, "another goroutine has said so", func() bool {
			beside := make(chan struct{})
			go func() {
				defer close(beside)
				n.T().Errorf("beside the condition")
			}()
			<-beside
			return true
		})
	})

	assert.Equal(t, []string{"beside the condition"}, test.failures)
}

func TestAConditionWithinAConditionIsATryOfItsOwn(t *testing.T) {
	t.Parallel()
	outer := 0

	test := observe(t, times(0, nil), func(n *Namespace) {
		n.Eventually(time.Minute, "the second time", func() bool {
			outer++
			n.Eventually(200*time.Millisecond, "the inner one", func() bool {
				require.Equal(n.T(), 2, outer, "the inner one holds")
				return true
			})
			return true
		})
	})

	assert.Empty(t, test.failures)
	assert.Equal(t, 2, outer)
}

func TestATryInWhichAnythingFailsDoesNotHold(t *testing.T) {
	t.Parallel()
	tries := 0

	test := observe(t, times(0, nil), func(n *Namespace) {
		n.Eventually(time.Minute, "the third try", func() bool {
			tries++
			assert.Greater(n.T(), tries, 1)
			var none []int
			return tries > 2 || none[0] == 1
		})
	})

	assert.Empty(t, test.failures)
	assert.Equal(t, 3, tries)
}
