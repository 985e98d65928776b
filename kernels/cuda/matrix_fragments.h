#pragma once

#include "common/host_device.h"

// How the 32 lanes of a warp share the matrices of one instruction, mma.m16n8k16 on halves with float sums,
// and the addresses they give to ldmatrix to load them: PTX ISA, "Matrix Fragments for mma.m16n8k16" and
// "ldmatrix". tests/matrix_fragments_test.cpp checks them.

namespace deepfreq::cuda::fragments {

/// k of one instruction: columns of the first factor, rows of the second.
inline constexpr int depth = 16;

/// An element of a matrix.
struct Place {
    int row, column;
};

/// The sum [16][8] in register i = 0 … 3 of a lane.
constexpr DEEPFREQ_HOST_DEVICE Place sum(int lane, int i) {
    return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

/// The factor [16][k = 16]: half h = 0, 1 of register i = 0 … 3 of a lane.
constexpr DEEPFREQ_HOST_DEVICE Place first_factor(int lane, int i, int h) {
    return {lane / 4 + i % 2 * 8, lane % 4 * 2 + h + i / 2 * 8};
}

/// The factor [k = 16][8]: half h = 0, 1 of register i = 0, 1 of a lane.
constexpr DEEPFREQ_HOST_DEVICE Place second_factor(int lane, int i, int h) {
    return {lane % 4 * 2 + h + i * 8, lane / 4};
}

/// @name ldmatrix.x4
/// It loads four matrices of 8 x 8 halves: lanes 8 m … 8 m + 7 give the addresses of the rows of matrix m.
/// @{

/// What half h = 0, 1 of register m = 0 … 3 of a lane receives: the lane that gives the address of its row,
/// and its place there, in halves.
constexpr DEEPFREQ_HOST_DEVICE Place loaded(int lane, int m, int h) {
    return {m * 8 + lane / 4, lane % 4 * 2 + h};
}

/// The row and the k at which a lane's address must be, so that it receives the first factor.
constexpr DEEPFREQ_HOST_DEVICE Place first_address(int lane) {
    return {lane % 16, lane / 16 * 8};
}

/// The same for two second factors, side by side, of a matrix stored by columns, [16 columns][k]: registers 0
/// and 1 are of the left one. The row is the column of the factors.
constexpr DEEPFREQ_HOST_DEVICE Place second_address(int lane) {
    return {lane / 16 * 8 + lane % 8, lane / 8 % 2 * 8};
}
/// @}

}  // namespace deepfreq::cuda::fragments
