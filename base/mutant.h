// is_mutant(): whether this build carries the planted bug of that name. Nobody but tools/run_mutants.py asks
// for one, to see that the simulator finds it; in every other build all of them are gone without a trace.
//
//   if constexpr (is_mutant("name")) { what the bug does }
//
// Only in .cc files, of which the name is in: those alone are compiled anew for a mutant.
#pragma once

#include <string_view>

namespace milena {

#ifdef MILENA_MUTANT
consteval bool is_mutant(std::string_view name) { return name == MILENA_MUTANT; }
#else
consteval bool is_mutant(std::string_view) { return false; }
#endif

}  // namespace milena
