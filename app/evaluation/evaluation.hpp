// How often a model is right, and how often its two forms agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/labelled_pictures.hpp"

namespace glimpse {

/// What one form of the model says of one picture.
struct Guess {
  std::vector<int> top;  // class indices, most probable first, five or as many as there are classes
  double ms = 0;         // preprocessing and network
};

/// One form of the model, float or int8, on all pictures.
struct FormScore {
  std::uint64_t top1 = 0, top5 = 0;  // pictures whose class is the first, and among the first five
  std::vector<double> ms;            // of each picture
  /// Pictures a second: the inverse of the median time.
  [[nodiscard]] double fps() const;
};

struct Disagreement {
  std::string file;
  int truth = 0, of_float = 0, of_int8 = 0;
};

struct Evaluation {
  static constexpr std::size_t max_disagreements = 1000;

  std::uint64_t pictures = 0, skipped = 0;
  std::optional<FormScore> of_float, of_int8;  // empty: the model has no such form
  std::uint64_t agreed = 0;                    // pictures that both forms say the same of
  std::vector<Disagreement> disagreements;     // the first of them, in the order of the pictures

  /// A guess for each form that the model has.
  void add(const LabelledPicture& picture, const std::optional<Guess>& float_guess,
           const std::optional<Guess>& int8_guess);
  [[nodiscard]] double share(std::uint64_t count) const;  // of the pictures
  [[nodiscard]] std::optional<double> agreement() const;  // 0 to 1; nothing where there is one form alone
};

}  // namespace glimpse
