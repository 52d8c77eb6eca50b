package lambdaexecutor

import (
	"context"
	"testing"
)

// From inside: nothing outside can make an answer and the end of a context come at the same moment.
func TestAnAnswerComesBeforeTheContext(t *testing.T) {
	ex := &Executor{handle: &handle{closing: make(chan struct{})}, wakes: newWakes()}
	close(ex.closing)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	come := &answer{come: make(chan struct{})}
	close(come.come)
	for range 100 { // select picks one of those that are ready at random
		ex.wakes.wake()
		if err := ex.awaitAnswer(done, come); err != nil {
			t.Fatal(err)
		}
	}
}
