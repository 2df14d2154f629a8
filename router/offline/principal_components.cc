#include "router/offline/principal_components.h"

#define EIGEN_MPL2_ONLY  // NOTICE
#include <Eigen/Dense>
#include <algorithm>

namespace pointsman::offline {
namespace {

constexpr std::size_t kBlock = 256;  // rows whose products are added up in single precision

}  // namespace

void PrincipalComponents::Project(std::span<const float> vector, std::span<float> out) const {
  for (std::size_t c = 0; c < out.size(); ++c) {
    const float* const direction = &directions[c * inputs()];
    double sum = 0;
    for (std::size_t i = 0; i < inputs(); ++i) sum += direction[i] * (vector[i] - mean[i]);
    out[c] = static_cast<float>(sum);
  }
}

PrincipalComponents FindPrincipalComponents(std::span<const std::vector<float>* const> rows, std::size_t components) {
  const auto inputs = static_cast<Eigen::Index>(rows.front()->size());
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(inputs);
  for (const std::vector<float>* row : rows) {
    mean += Eigen::Map<const Eigen::VectorXf>(row->data(), inputs).cast<double>();
  }
  mean /= static_cast<double>(rows.size());
  const Eigen::VectorXf centre = mean.cast<float>();
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(inputs, inputs);
  for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
    const std::size_t end = std::min(rows.size(), begin + kBlock);
    Eigen::MatrixXf block(inputs, static_cast<Eigen::Index>(end - begin));
    for (std::size_t i = begin; i < end; ++i) {
      block.col(static_cast<Eigen::Index>(i - begin)) =
          Eigen::Map<const Eigen::VectorXf>(rows[i]->data(), inputs) - centre;
    }
    covariance += (block * block.transpose()).cast<double>();
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);  // values ascend

  PrincipalComponents result;
  result.mean.assign(mean.begin(), mean.end());
  double kept = 0;
  for (std::size_t c = 0; c < components; ++c) {
    const Eigen::Index at = inputs - 1 - static_cast<Eigen::Index>(c);
    Eigen::VectorXd direction = solver.eigenvectors().col(at);
    Eigen::Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0) direction = -direction;
    for (const double value : direction) result.directions.push_back(static_cast<float>(value));
    kept += std::max(0.0, solver.eigenvalues()[at]);
  }
  result.kept = kept / std::max(covariance.trace(), 1e-30);
  return result;
}

}  // namespace pointsman::offline
