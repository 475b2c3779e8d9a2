#include "evaluation/evaluation.hpp"

#include <algorithm>

#include "core/percentile.hpp"

namespace glimpse {
namespace {

void count(std::optional<FormScore>& score, const std::optional<Guess>& guess, int truth) {
  if (!guess) return;
  if (!score) score.emplace();
  const auto found = std::find(guess->top.begin(), guess->top.end(), truth);
  if (found == guess->top.begin()) ++score->top1;
  if (found != guess->top.end()) ++score->top5;
  score->ms.push_back(guess->ms);
}

}  // namespace

double FormScore::fps() const {
  return 1000 / median(ms);
}

void Evaluation::add(const LabelledPicture& picture, const std::optional<Guess>& float_guess,
                     const std::optional<Guess>& int8_guess) {
  ++pictures;
  count(of_float, float_guess, picture.truth);
  count(of_int8, int8_guess, picture.truth);
  if (!float_guess || !int8_guess) return;
  const int by_float = float_guess->top.front(), by_int8 = int8_guess->top.front();
  if (by_float == by_int8) {
    ++agreed;
  } else if (disagreements.size() < max_disagreements) {
    disagreements.push_back({picture.file, picture.truth, by_float, by_int8});
  }
}

double Evaluation::share(std::uint64_t count) const {
  return static_cast<double>(count) / static_cast<double>(pictures);
}

std::optional<double> Evaluation::agreement() const {
  if (!of_float || !of_int8) return std::nullopt;
  return share(agreed);
}

}  // namespace glimpse
