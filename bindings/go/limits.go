//go:build linux && cgo

package lambdaexecutor

// #include "bridge.h"
import "C"

// Limits of the library.
const (
	MaxKeyBytes        = C.LAMBDA_EXECUTOR_MAX_KEY_BYTES         // Longest key of a task.
	MaxBatch           = C.LAMBDA_EXECUTOR_MAX_BATCH             // Most tasks or keys of one call.
	MaxValueBytes      = C.LAMBDA_EXECUTOR_MAX_VALUE_BYTES       // Longest Value of an Event, by the library's function.
	MaxOutputTailBytes = C.LAMBDA_EXECUTOR_MAX_OUTPUT_TAIL_BYTES // Longest OutputTail of an Event, by the library's function.
	MaxTextBytes       = C.LAMBDA_EXECUTOR_MAX_TEXT_BYTES        // All texts of an Event together: a message of SQS.
	DefaultEvents      = C.LAMBDA_EXECUTOR_DEFAULT_EVENTS        // Most events of one Sync or Poll with max 0.
)
