#pragma once

namespace deepfreq {

/// What an operation returns: its Result, or nothing.
template <class Operation>
struct ResultOf {
    using Type = void;
};
template <class Operation>
requires requires {
    typename Operation::Result;
}
struct ResultOf<Operation> {
    using Type = typename Operation::Result;
};

/// Can run one operation: checks it, then has the backend run it.
template <class Operation>
class Executes {
  public:
    typename ResultOf<Operation>::Type operator()(const Operation& operation) {
        operation.validate();
        return run(operation);
    }

  protected:
    ~Executes() = default;

    /// What every backend does around execute(); for most operations, nothing.
    virtual typename ResultOf<Operation>::Type run(const Operation& operation) { return execute(operation); }

    /// Called with an operation that has been checked.
    virtual typename ResultOf<Operation>::Type execute(const Operation& operation) = 0;
};

/// The same for a list of them: a backend that lacks execute() for one of them does not compile.
template <class... Operations>
class ExecutesAll : public Executes<Operations>... {
  public:
    using Executes<Operations>::operator()...;

  protected:
    ~ExecutesAll() = default;
    using Executes<Operations>::run...;
    using Executes<Operations>::execute...;
};

}  // namespace deepfreq
