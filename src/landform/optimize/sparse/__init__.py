"""Large problems, and solvers of other makers: everything that works on matrices without their zeros."""
