//go:build !(linux && cgo)

package lambdaexecutor

// The package needs Linux and cgo. Go switches cgo off if CGO_ENABLED is 0, if there is no C compiler, and if the target system or
// processor is not that of this machine. The compiler then prints the name of this variable, which is not defined.
var _ = needs_Linux_and_cgo__set_CGO_ENABLED_to_1_and_install_a_C_compiler_and_the_library_for_the_target
