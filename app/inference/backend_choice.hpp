// Which backend `auto` means for a model on this machine.
#pragma once

#include "inference/choice_cache.hpp"
#include "inference/classifier.hpp"

namespace glimpse {

/// Times the candidates at the first use of a model, in processes of their own, and remembers the fastest.
/// What was asked for by name is taken as it is, and beside another network the likely fastest where none is
/// remembered. Throws Error(usage) for a backend that this build does not
/// have. `threads`: as many as the network will use.
[[nodiscard]] BackendChoice choose_backend(const ClassifierOptions& options, const std::string& model_sha256,
                                           int threads);

/// The shortest time of some runs of the network, for 0.1 s or two of them: what else the machine does only
/// makes them longer.
[[nodiscard]] double shortest_ms(Classifier& classifier);

/// For people: "onednn 2.03 ms, torch 3.61 ms, xnnpack 7.60 ms, measured on 2026-11-22"; empty where nothing
/// was measured.
[[nodiscard]] std::string describe(const BackendChoice& choice);

}  // namespace glimpse
