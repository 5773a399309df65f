"""From a table of trials to slopes, curves and the best recipe."""

from landform.formulation.problem import Problem
from landform.formulation.study import Study, StudyFindings, study
from landform.formulation.table import RawTable, read_table
from landform.formulation.trials import Trials, make_trials

__all__ = ["Problem", "RawTable", "Study", "StudyFindings", "Trials", "make_trials", "read_table", "study"]
