package harness

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatAssertsSecondsRunsBesideNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		runs, begins [2]string // what it asserts, its name
		refused      string
	}{
		"facts beside facts":                       {[2]string{"facts", "TestA"}, [2]string{"facts", "TestB"}, ""},
		"seconds beside facts":                     {[2]string{"facts", "TestA"}, [2]string{"seconds", "TestB"}, "TestB asserts seconds, and does not run alone: beside it runs TestA"},
		"seconds beside seconds":                   {[2]string{"seconds", "TestA"}, [2]string{"seconds", "TestB"}, "beside it runs TestA"},
		"facts beside seconds":                     {[2]string{"seconds", "TestA"}, [2]string{"facts", "TestB"}, "TestB asserts facts, and does not run alone: beside it runs TestA"},
		"a subtest of its own":                     {[2]string{"seconds", "TestA"}, [2]string{"seconds", "TestA/one"}, ""},
		"a subtest of one whose name it begins":    {[2]string{"seconds", "TestA"}, [2]string{"seconds", "TestAll/one"}, "beside it runs TestA"},
		"a subtest that asserts seconds, of facts": {[2]string{"facts", "TestA"}, [2]string{"seconds", "TestA/one"}, "beside it runs TestA"},
		"a subtest that asserts facts, of seconds": {[2]string{"seconds", "TestA"}, [2]string{"facts", "TestA/one"}, "beside it runs TestA"},
		"a subtest with a margin":                  {[2]string{"seconds", "TestA"}, [2]string{"seconds by a margin", "TestA/one"}, ""},
		"one with a margin beside another":         {[2]string{"seconds by a margin", "TestA/one"}, [2]string{"seconds by a margin", "TestA/two"}, ""},
		"one with a margin beside another test's":  {[2]string{"seconds by a margin", "TestA/one"}, [2]string{"seconds by a margin", "TestB/one"}, "TestB/one asserts seconds by a margin, and does not run alone: beside it runs TestA/one"},
		"one with a margin beside facts":           {[2]string{"facts", "TestB"}, [2]string{"seconds by a margin", "TestA/one"}, "beside it runs TestB"},
		"facts beside one with a margin":           {[2]string{"seconds by a margin", "TestA/one"}, [2]string{"facts", "TestB"}, "beside it runs TestA/one"},
		"seconds beside one with a margin":         {[2]string{"seconds by a margin", "TestA/one"}, [2]string{"seconds", "TestA/two"}, "beside it runs TestA/one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLanes()
			assert.NoError(t, l.enter(test.runs[1], assertion(test.runs[0])))

			err := l.enter(test.begins[1], assertion(test.begins[0]))

			if test.refused == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.refused)
			}
			l.leave(test.begins[1], assertion(test.begins[0]))
			l.leave(test.runs[1], assertion(test.runs[0]))
			assert.NoError(t, l.enter("TestC", seconds), "when both have ended, others run")
		})
	}
}
