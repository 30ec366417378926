"""What this library reads inside Bambi and formulae: all of it is here, and nowhere else.

The documentation of Bambi promises the classes `Model` and `Prior`, and what one does with them.
Post-stratification needs more: which columns a formula reads, how they become a design, and which
draws go with it. `regression` puts that into the plain objects below, whose fields are not
Bambi's; `made_of` lists what makes a model the one it is. When a release of Bambi moves its
insides, this module changes and no other one does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import bambi as bmb
import formulae
import numpy as np
import pandas as pd
import xarray as xr
from bambi.terms import CommonTerm, GroupSpecificTerm, OffsetTerm
from formulae.categorical import CategoricalBox
from formulae.terms.call import Call
from formulae.terms.call_resolver import LazyVariable
from formulae.terms.variable import Variable
from scipy import special

from mrp_helpers._aliases import Alias
from mrp_helpers._families import FAMILIES
from mrp_helpers._levels import as_wide
from mrp_helpers._require import listing

# What is computed here. A kind of term that is not listed may mean anything, so it is refused.
_KINDS = {CommonTerm: "common", GroupSpecificTerm: "group-specific", OffsetTerm: "offset"}
# Families whose outcome is two columns: successes and trials.
_COUNTS_OUT_OF_N = {"beta_binomial", "binomial", "zero_inflated_binomial"}
# Calls that only say how a column's levels are coded: the levels are the column's own.
_CODINGS = {"C", "S", "T"}
_ROWS_TRIED = 2000  # of the model's data, for a call in its formula
_REMEDY = "compute it as a column of survey and frame"


class CallError(ValueError):
    """A function in a formula gives no value for some rows of a table."""


@dataclass(frozen=True)
class Numbers:
    """A numeric column or call of a formula.

    Parameters
    ----------
    name : str
        How the formula writes it.
    columns : list of str
        The columns that it reads.
    evaluate : callable
        Gives the design (rows x columns) of a table with these columns.
    """

    name: str
    columns: list[str]
    evaluate: Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Levels:
    """A column or call of a formula that says which level a row has.

    Parameters
    ----------
    name, columns
        As in `Numbers`.
    levels : list
        The levels that the model saw.
    own : bool
        Whether these are the values of its one column, and not the result of a call.
    contrasts : numpy.ndarray
        The design (levels x columns) of each level.
    evaluate : callable
        Gives the level of each row of a table, where a call makes it.
    """

    name: str
    columns: list[str]
    levels: list[Any]
    own: bool
    contrasts: np.ndarray
    evaluate: Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Term:
    """A term of the linear predictor: a product of factors, in each group where it has groups.

    Parameters
    ----------
    name : str
        How the formula writes it.
    expression : list of Numbers or Levels
        What is multiplied; none for an intercept. The last one runs fastest over the columns.
    groups : list of Levels
        The grouping factors; none for a common effect. The last one runs fastest.
    parameter : str or None
        The name of its draws; None for an offset, whose effect is 1.
    coordinates : dict of str to list
        The draws' dimensions, in the order in which the design's columns run over them.
    hyperparameters : dict of str to str
        For each argument of its prior, and of theirs, the name of that argument's draws.
    no_normal : str or None
        Why a new group's effect cannot be drawn; None where it is normal with mean zero.
    equations : dict of str to list
        The draws' dimension of the outcome's levels, where each of them has effects of its own.
    """

    name: str
    expression: list[Numbers | Levels]
    groups: list[Levels] = field(default_factory=list)
    parameter: str | None = None
    coordinates: dict[str, list[Any]] = field(default_factory=dict)
    hyperparameters: dict[str, str] = field(default_factory=dict)
    no_normal: str | None = None
    equations: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def factors(self) -> list[Numbers | Levels]:
        """Everything that reads columns."""
        return [*self.expression, *self.groups]

    def effects(self, posterior: xr.Dataset) -> np.ndarray:
        """Draws (columns of the design x samples), the samples in the order (chain, draw).

        Where the outcome has equations, the samples of the first one are followed by those of the
        next.
        """
        if self.parameter is None:
            return np.ones((1, posterior.sizes["chain"] * posterior.sizes["draw"]))
        return _samples_last(posterior[self.parameter], self.coordinates, self.equations)

    def sd(self, posterior: xr.Dataset) -> np.ndarray:
        """Draws (columns of the expression x samples) of the standard deviation over groups.

        The samples come as those of the effects do.
        """
        if self.no_normal is not None:
            raise NotImplementedError(
                f"new levels of {self.name!r} cannot be drawn: its effects follow "
                f"{self.no_normal}. Recode the frame, or give the term a prior "
                "Normal(mu=0, sigma=...) and its mean a common term"
            )
        # Its effects run over the groups first, and each group has the same spread.
        columns = dict(list(self.coordinates.items())[1:])
        needed, name = [*columns, *self.equations], self.hyperparameters["sigma"]
        if name not in posterior or not set(needed) <= set(posterior[name].dims):
            raise ValueError(
                f"draws lack {name!r} for each of {', '.join(needed) or 'the groups'}, from which "
                f"new levels of {self.name!r} are drawn; pass what model.fit returned"
            )
        return _samples_last(posterior[name], columns, self.equations)


@dataclass(frozen=True)
class LinearPredictor:
    """A linear predictor, and the inverse link that makes a parameter of the family of it.

    Parameters
    ----------
    terms : list of Term
        Their sum is the linear predictor.
    inverse_link : callable
        Turns the linear predictor into the parameter.
    mean : str
        What draws of the parameter in the model's own rows are called, if there are any.
    equations : int or None
        How many levels of the outcome have a sum of their own; None where a row has one sum.
    """

    terms: list[Term]
    inverse_link: Callable[[np.ndarray], np.ndarray]
    mean: str = "mu"
    equations: int | None = None


@dataclass(frozen=True)
class Constant:
    """A parameter of the family that is the same in all rows, such as a residual's spread.

    Parameters
    ----------
    draws : str
        What its draws are called.
    fixed : float or None
        Its value, where the model fixes it and there are no draws.
    coordinates : dict of str to list
        The draws' dimension, where there are several: the thresholds between ordered levels.
    """

    draws: str
    fixed: float | None = None
    coordinates: dict[str, list[Any]] = field(default_factory=dict)

    def values(self, posterior: xr.Dataset) -> np.ndarray:
        """Draws (samples), or (thresholds x 1 x samples)."""
        if self.fixed is not None:
            return np.asarray(float(self.fixed))
        if self.draws not in posterior:
            raise ValueError(
                f"draws have no parameter {self.draws!r}, which the model's family needs here; "
                "pass what model.fit returned"
            )
        values = _samples_last(posterior[self.draws], self.coordinates)
        return values[:, None] if self.coordinates else values[0]


@dataclass(frozen=True)
class Regression:
    """What a model says about its outcome, and the data it was made from.

    Parameters
    ----------
    family : str
        The name of the family.
    predictors : dict of str to LinearPredictor
        For each parameter of the family with a formula, its linear predictor; the one that the main
        formula models comes first.
    constants : dict of str to Constant
        The family's other parameters.
    data : pandas.DataFrame
        The columns that the terms read, as the model has them.
    outcome : str
        What the observed outcome is called.
    observed : numpy.ndarray
        Its values, one a row of the data, or several where it has several columns.
    levels : list
        The levels of the outcome in the model's order, where the family gives each a share.
    aliases : list of Alias
        What the draws are called under the model's aliases, where it has any.
    """

    family: str
    predictors: dict[str, LinearPredictor]
    constants: dict[str, Constant]
    data: pd.DataFrame
    outcome: str = ""
    observed: np.ndarray = field(default_factory=lambda: np.empty(0))
    levels: list[Any] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)

    @property
    def parent(self) -> LinearPredictor:
        """The linear predictor of the main formula."""
        return next(iter(self.predictors.values()))

    @property
    def terms(self) -> list[Term]:
        """The terms of all linear predictors."""
        return [term for predictor in self.predictors.values() for term in predictor.terms]


class Made(NamedTuple):
    """What makes a model: its formulas, family, links, priors by parameter and term, and data."""

    formulas: list[str]
    family: str
    links: dict[str, str]
    priors: dict[str, Any]
    parametrisation: list[Any]
    columns: list[str]
    data: pd.DataFrame


def regression(model: bmb.Model) -> Regression:
    """Read what a model says about its outcome.

    Raises
    ------
    NotImplementedError
        When the model has a term, a family or an outcome of a kind that is not computed.
    """
    _refuse_other_families(model)
    _refuse_other_outcomes(model)
    parent, response = model.parameters[model.family.likelihood.parent], model.response_term
    modelled = [parent, *(part for part in model.parameters.values() if part is not parent)]
    predictors: dict[str, LinearPredictor] = {}
    constants: dict[str, Constant] = {}
    columns: dict[str, pd.Series] = {}
    for part in modelled:
        if hasattr(part, "design"):
            # Without the rows that `dropna` leaves out, and without columns that no formula names.
            predictors[part.name] = _linear_predictor(part, model)
            columns |= dict(part.design.data.items())
        else:
            constants[part.name] = _constant(part, response)
    found = Regression(
        family=model.family.name,
        predictors=predictors,
        constants=constants,
        data=parent.design.data,
        outcome=response.alias or response.name,
        observed=_observed(response),
        levels=list(response.levels) if FAMILIES[model.family.name].shares else [],
        aliases=aliases(model),
    )
    _refuse_a_dimension_of_two_terms(found.terms)
    read = {name for term in found.terms for one in term.factors for name in one.columns}
    return replace(found, data=pd.DataFrame({name: columns[name] for name in sorted(read)}))


def _linear_predictor(parameter: Any, model: bmb.Model) -> LinearPredictor:
    """Read the linear predictor of one parameter of the family."""
    link, coordinates = model.family.link[parameter.name], model.response_term.coords
    equations = {name: list(labels) for name, labels in coordinates.items()}
    terms = [_term(term, parameter.design.data) for term in parameter.terms.values()]
    for term in terms if equations else []:
        if term.parameter is None:
            raise NotImplementedError(
                f"term {term.name!r}: Bambi has no offset in a family with an equation for each "
                "level of the outcome; make it a term of the formula"
            )
    return LinearPredictor(
        terms=[replace(term, equations=equations) for term in terms],
        # Bambi's own inverse of the logit moves 0 and 1 by 2e-16, in twice the time.
        inverse_link=special.expit if link.name == "logit" else link.linkinv,
        mean=parameter.alias or parameter.name,
        equations=len(next(iter(equations.values()))) if equations else None,
    )


def _constant(parameter: Any, response: Any) -> Constant:
    """Read a parameter of the family that is the same in all rows."""
    draws = parameter.alias or parameter.name
    if parameter.name == "threshold":
        return Constant(draws, coordinates={f"{draws}_dim": list(range(len(response.levels) - 1))})
    fixed = parameter.prior if isinstance(parameter.prior, int | float) else None
    return Constant(draws, fixed)


def common_design(model: bmb.Model) -> np.ndarray:
    """The design (rows of the data x columns) of the common terms of the linear predictor."""
    parent = model.parameters[model.family.likelihood.parent]
    return np.asarray(parent.design.common.design_matrix)


def made_of(model: bmb.Model) -> Made:
    """List what makes a model the one it is.

    Raises
    ------
    NotImplementedError
        When the model has potentials, which are functions of any kind.
    """
    if model.potentials:
        raise NotImplementedError("a model with potentials cannot be told apart; use model.fit")
    formulas = [model.formula.main, *model.formula.additionals]
    used = set().union(*(formulae.model_description(text).var_names for text in formulas))
    return Made(
        formulas=formulas,
        family=model.family.name,
        links={part: link.name for part, link in model.family.link.items()},
        priors={
            part: {name: _prior_before_build(term.prior) for name, term in component.terms.items()}
            if hasattr(component, "terms")
            else component.prior
            for part, component in model.parameters.items()
        },
        parametrisation=[model.noncentered, model.center_predictors],
        columns=[column for column in model.data.columns if column in used],
        data=model.data,
    )


def _prior_before_build(prior: Any) -> Any:
    """A prior as it was before Bambi built the model.

    Building one with an equation for each level of the outcome repeats, in the prior itself, the
    numbers of a term with several columns once for each equation.
    """
    if not isinstance(prior, bmb.Prior):
        return prior
    arguments = {}
    for name, value in prior.args.items():
        repeated = np.ndim(value) == 2 and (np.asarray(value) == np.asarray(value)[:, :1]).all()
        arguments[name] = np.asarray(value)[:, 0] if repeated else value
    return bmb.Prior(prior.name, prior.auto_scale, prior.dist, prior.noncentered, **arguments)


def designed(model: bmb.Model) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """What formulae made of the data: for each part of the model its name, columns and numbers.

    Rows of a grouping factor are the names of their groups; the order of these counts only where a
    prior of one's own may use it, such as a random walk over them.
    """
    response = model.response_term
    success = [f"success {response.success}", *map(str, response.levels or [])]
    yield response.name, [" ".join(success)], np.asarray(response.data, dtype="float64")
    for name, parameter in model.parameters.items():
        if not hasattr(parameter, "design"):
            continue  # one number for all rows
        design = parameter.design
        for term in design.common.terms.values() if design.common else []:
            yield f"{name} {term.name}", list(term.labels), np.asarray(term.data, dtype="float64")
        for term in design.group.terms.values() if design.group else []:
            groups = np.asarray(term.factor.data).reshape(len(design.data), -1).argmax(axis=1)
            yield f"{name} {term.name}", ["group"], np.array(term.groups, dtype=str)[groups]
            if getattr(parameter.terms[term.name].prior, "dist", None) is not None:
                yield f"{name} {term.name} order", ["group"], np.array(term.groups, dtype=str)
            expression = np.asarray(term.expr.data, dtype="float64")
            yield f"{name} {term.name} by", list(term.expr.labels), expression


def aliases(model: bmb.Model) -> list[Alias]:
    """List what an alias renames: parameters, terms, arguments of their priors, the outcome."""
    found: list[Alias] = []
    levels = _dimension_of_levels(model.response_term)
    named = [(model.response_term.name, model.response_term, levels)]
    for name, parameter in model.parameters.items():
        label = parameter.alias or name
        named.append((name, parameter, levels | {f"{name}_dim": f"{label}_dim"}))
        for term in getattr(parameter, "terms", {}).values():
            kind = _KINDS.get(type(term))
            if kind in ("common", "group-specific"):
                dimensions = _dimensions(term) | levels
                found.append(Alias(term.name, term.alias or term.name, dimensions))
            if kind == "group-specific":
                plain = _hyperparameters(term.name, term.prior, {})
                alias = _hyperparameters(found[-1].alias, term.prior, term.hyperprior_alias)
                found += [Alias(plain[key], alias[key], dimensions) for key in plain]
    found += [Alias(name, part.alias or name, dimensions) for name, part, dimensions in named]
    renamed = [one for one in found if one.renames]
    taken = {one.alias for one in renamed if one.plain != one.alias} & {one.plain for one in found}
    if taken:
        raise ValueError(
            f"the model's alias {listing(sorted(taken))} is the name of another part of it, so its "
            "draws can be taken for each other; choose another alias"
        )
    return renamed


def _dimension_of_levels(response: Any) -> dict[str, str]:
    """What the dimensions of the outcome's levels are called under its alias, and without it."""
    if not response.coords:
        return {}
    alias = response.alias or response.name
    return {f"{response.name}{end}": f"{alias}{end}" for end in ("_dim", "_reduced_dim")}


def parts_of_prior(prior: bmb.Prior) -> tuple[str, dict[str, Any], bool | None, Any]:
    """Take a prior apart: name, arguments, whether it is non-centred, the function that it is."""
    return prior.name, prior.args, prior.noncentered, prior.dist


def _refuse_other_families(model: bmb.Model) -> None:
    """Say what is missing here rather than compute something else."""
    if model.family.name not in FAMILIES:
        raise NotImplementedError(
            f"the family {model.family.name!r} is not computed here; families that are: "
            f"{', '.join(sorted(FAMILIES))}"
        )


def _refuse_other_outcomes(model: bmb.Model) -> None:
    """Refuse an outcome whose mean is not the parameter that the formula models.

    Of a censored or weighted outcome it is: of the values as they would be without the censoring,
    and in the population that the weights stand for.
    """
    response = model.response_term
    if response.is_truncated or response.is_constrained:
        raise NotImplementedError(
            f"the outcome {response.name!r} has bounds, and the mean within them is not the "
            "parameter that the formula models; only outcomes without bounds are computed"
        )
    columns = response.data.shape[1] if response.data.ndim > 1 else 1
    two_columns = response.is_weighted or response.is_censored
    several = model.family.name in _COUNTS_OUT_OF_N or response.coords
    if columns > 1 and not two_columns and not several:
        raise NotImplementedError(
            f"the outcome {response.name!r} has {columns} columns and the family is "
            f"{model.family.name!r}; p(successes, n) belongs to the families "
            f"{listing(sorted(_COUNTS_OUT_OF_N))}, and any other outcome is one column"
        )


def _refuse_a_dimension_of_two_terms(terms: list[Term]) -> None:
    """Refuse two codings under one name: Bambi gives both terms the labels of the first."""
    first: dict[str, Term] = {}
    for term in terms:
        for dimension, labels in term.coordinates.items():
            other = first.setdefault(dimension, term)
            if other.coordinates[dimension] != labels:
                raise NotImplementedError(
                    f"terms {other.name!r} and {term.name!r} code the same levels in two ways "
                    f"({listing(other.coordinates[dimension])}; {listing(labels)}), and Bambi "
                    "gives both the effects of the first; write 0 + or 1 + in both, or copy the "
                    "column under another name for one"
                )


def _observed(response: Any) -> np.ndarray:
    """The outcome of each row: where it has several columns, the first, which is the value.

    Counts of several levels are all of them values.
    """
    values = np.asarray(response.data, dtype="float64")
    return values if response.coords else values.reshape(len(values), -1)[:, 0]


def _term(term: Any, data: pd.DataFrame) -> Term:
    kind = _KINDS.get(type(term))
    if kind is None:
        raise NotImplementedError(
            f"term {term.name!r} is of the kind {type(term).__name__}, which is not computed here; "
            f"kinds that are: {', '.join(sorted(_KINDS.values()))}"
        )
    if kind == "offset":
        return Term(term.name, _factors(term.term, data))
    parameter = term.alias or term.name
    if kind == "common":
        _refuse_another_product(term.name, term.term, term.term.data)
        return Term(
            term.name, _factors(term.term, data), [], parameter, coordinates=_coordinates(term)
        )
    _refuse_a_table_of_one_column(term)
    _refuse_another_product(term.name, term.term.expr, term.predictor)
    # Whatever its type, a grouping factor is coded by its levels.
    groups = [one for one in _factors(term.term.factor, data) if isinstance(one, Levels)]
    for part in groups:
        # Bambi numbers a row's group by the first of the largest contrasts.
        if not np.array_equal(part.contrasts, np.eye(len(part.levels))):
            raise NotImplementedError(
                f"term {term.name!r}: the grouping factor {part.name!r} is coded by contrasts; "
                "group by the column itself"
            )
    return Term(
        term.name,
        _factors(term.term.expr, data),
        groups,
        parameter,
        coordinates=_coordinates(term),
        hyperparameters=_hyperparameters(parameter, term.prior, term.hyperprior_alias),
        no_normal=_why_not_normal(term.prior),
    )


def _refuse_a_table_of_one_column(term: Any) -> None:
    """Refuse a slope that Bambi multiplies with the effects of all rows and not with its own's.

    A product of numeric columns, or a polynomial of degree one, is a table with one column here
    and a list of effects there, which numpy takes for a table of rows by rows.
    """
    if term.predictor.ndim == 1 or term.predictor.shape[1] > 1 or len(term.coords) > 1:
        return
    factors = term.term.expr.components
    product = len(factors) > 1 and all(np.ndim(part.value) == 1 for part in factors)
    remedy = f"write I({' * '.join(part.name for part in factors)})" if product else _REMEDY
    raise NotImplementedError(
        f"term {term.name!r}: Bambi samples another model than the formula says, in which each row "
        f"has the effects of all groups; {remedy}"
    )


def _refuse_another_product(name: str, expression: Any, seen: np.ndarray) -> None:
    """Refuse a design that is not the product of its factors, where these are narrow numbers."""
    product = np.ones((len(seen), 1))
    for part in getattr(expression, "components", []):
        rows = np.asarray(part.value, dtype="float64").reshape(len(seen), 1, -1)
        product = (product[:, :, None] * rows).reshape(len(seen), -1)
    if not np.allclose(product, np.asarray(seen).reshape(len(seen), -1), rtol=1e-9, atol=1e-12):
        raise NotImplementedError(
            f"term {name!r}: the product is too large for the type of its columns, so Bambi has "
            "other numbers there; widen them with .astype('int64') before the model is made"
        )


def _coordinates(term: Any) -> dict[str, list[Any]]:
    """A term's dimensions, under its alias where it has one: groups first, then the expression."""
    under = _dimensions(term)
    named = {under[name]: list(labels) for name, labels in term.coords.items()}
    return dict(sorted(named.items(), key=lambda item: not item[0].endswith("__factor_dim")))


def _dimensions(term: Any) -> dict[str, str]:
    """What a term's dimensions are called under its alias, by what they are called without."""
    alias, grouped = term.alias, isinstance(term, GroupSpecificTerm)
    ends = {name: f"__{name.rpartition('__')[2]}" if grouped else "_dim" for name in term.coords}
    return {name: f"{alias}{end}" if alias else name for name, end in ends.items()}


def _hyperparameters(label: str, prior: bmb.Prior, alias: dict[str, str]) -> dict[str, str]:
    """Name the draws of a prior's arguments; an argument may have a prior of its own, and so on."""
    names = {}
    for name, value in prior.args.items():
        names[name] = f"{label}_{alias.get(name, name)}"
        if isinstance(value, bmb.Prior):
            inner = {key: one for key, one in value.args.items() if isinstance(one, bmb.Prior)}
            nested = _hyperparameters(names[name], bmb.Prior(value.name, **inner), alias)
            names |= {f"{name}_{key}": draws for key, draws in nested.items()}
    return names


def _why_not_normal(prior: bmb.Prior) -> str | None:
    """Say what keeps a prior from being a normal with mean zero and a standard deviation."""
    others = set(prior.args) - {"mu", "sigma"}
    if prior.name != "Normal" or prior.dist is not None or "sigma" not in prior.args:
        return f"{prior.name}, not a normal with a standard deviation"
    mean = prior.args.get("mu", 0)
    if isinstance(mean, bmb.Prior) or np.any(np.asarray(mean) != 0):
        return f"a normal whose mean is {mean}, not zero"
    return f"a normal with {listing(sorted(others))} besides" if others else None


def _factors(term: Any, data: pd.DataFrame) -> list[Numbers | Levels]:
    """What a term of formulae multiplies; an intercept multiplies nothing."""
    return [_factor(part, data) for part in getattr(term, "components", [])]


def _factor(part: Any, data: pd.DataFrame) -> Numbers | Levels:
    if not isinstance(part, Variable | Call):
        raise NotImplementedError(f"{part} in the formula is of the kind {type(part).__name__}")
    used = [column for column in data.columns if column in part.var_names]
    own = isinstance(part, Variable) or _only_codes(part)
    made: Numbers | Levels
    if part.kind == "categoric":
        contrasts = np.asarray(part.contrast_matrix.matrix, dtype="float64")
        made_levels = partial(_made_levels, part)
        made = Levels(part.name, used, list(part.levels), own, contrasts, made_levels)
    else:
        made = Numbers(part.name, used, partial(_numbers, part))
    if not own:
        _refuse_if_other_rows_matter(made, np.asarray(part.value, dtype="float64"), data)
    return made


def _only_codes(part: Call) -> bool:
    """Whether a call says how a column's levels are coded, and not of what makes levels of it."""
    arguments = part.call.args
    return part.call.callee in _CODINGS and arguments and isinstance(arguments[0], LazyVariable)


def _refuse_if_other_rows_matter(
    made: Numbers | Levels, seen: np.ndarray, data: pd.DataFrame
) -> None:
    """What a call gives for a row must not depend on the rows beside it: a frame has others.

    Nor may it depend on how wide the whole numbers are, which differs from table to table.
    """
    seen = seen.reshape(len(data), -1)
    table = data[made.columns].astype({name: as_wide(data[name].dtype) for name in made.columns})
    try:
        again = np.isclose(_design(made, table), seen, rtol=1e-9, atol=1e-12).all(axis=1)
    except CallError as error:
        raise ValueError(f"the model's data: {error}") from error
    if not again.all():
        row = data.index[int(np.argmin(again))]
        raise NotImplementedError(
            f"{made.name} gives row {row!r} of the model's data another "
            "value when it is computed again, with whole numbers of 64 bits: their type may be too "
            f"narrow for it; {_REMEDY}"
        )
    for rows in _some_rows(table, seen):
        try:
            found = _design(made, table.iloc[rows])
        except CallError as error:
            raise NotImplementedError(
                f"{error} for {len(rows):,} row(s) of the model's data alone, so it depends on the "
                f"rows at hand, which are others in the frame; {_REMEDY}"
            ) from error
        same = np.isclose(found, seen[rows], rtol=1e-9, atol=1e-12).all(axis=1)
        if not same.all():
            row = data.index[int(rows[np.argmin(same)])]
            alone = "it is alone" if len(rows) == 1 else "other rows are beside it"
            raise NotImplementedError(
                f"{made.name} gives row {row!r} of the model's data another value when {alone}, so "
                f"it depends on the rows at hand, which are others in the frame; {_REMEDY}"
            )


def _some_rows(table: pd.DataFrame, seen: np.ndarray) -> Iterator[np.ndarray]:
    """Choose rows such as a frame may have: each value once, some values only, in another order.

    The rows where a design is smallest and largest are those that a mean, a rank or a first level
    of the rows at hand would move.
    """
    for row in sorted({*seen.argmin(axis=0), *seen.argmax(axis=0)})[:20]:
        yield np.array([row])
    once = np.flatnonzero(~table.duplicated())
    once = once[:: max(1, len(once) // _ROWS_TRIED)]
    yield once[::-1]
    ordered = once[np.argsort(seen[once, 0])]
    yield from np.array_split(ordered, min(3, len(ordered)))
    rng = np.random.default_rng(1)
    for size in (2, 3, 7, 20):
        yield rng.choice(once, size=min(size, len(once)), replace=False)


def _design(made: Numbers | Levels, table: pd.DataFrame) -> np.ndarray:
    """The design (rows x columns) of a call."""
    values = made.evaluate(table)
    if isinstance(made, Numbers):
        return values
    places = pd.Index(made.levels, dtype=object).get_indexer(values.astype(object))
    return np.where(places[:, None] < 0, np.nan, made.contrasts[places])


def _numbers(part: Any, table: pd.DataFrame) -> np.ndarray:
    values = _of_each_row(part, table, lambda: np.asarray(part.eval_new_data(table), dtype=float))
    values = values.reshape(len(table), -1)
    _refuse_missing(part, ~np.isfinite(values).all(axis=1), table)
    return values


def _made_levels(part: Any, table: pd.DataFrame) -> np.ndarray:
    def levels() -> np.ndarray:
        made = part.call.eval(table, part.env)
        return np.asarray(made.data if isinstance(made, CategoricalBox) else made)

    values = _of_each_row(part, table, levels)
    _refuse_missing(part, pd.isna(values), table)
    return values


def _of_each_row(part: Any, table: pd.DataFrame, call: Callable[[], np.ndarray]) -> np.ndarray:
    """What a call of a formula gives; whatever goes wrong in there gets its name."""
    try:
        values = call()
        number = len(values)
    except Exception as error:  # anybody's function may raise anything
        raise CallError(
            f"{part.name} cannot be computed ({type(error).__name__}: {error})"
        ) from error
    if number != len(table):
        raise ValueError(
            f"{part.name} gives {number:,} values for {len(table):,} row(s), so it does not "
            "come from the columns alone; put what it reads into columns of survey and frame"
        )
    return values


def _refuse_missing(part: Any, missing: np.ndarray, table: pd.DataFrame) -> None:
    """A row without a value would get the last level, or an estimate of nothing."""
    if missing.any():
        raise CallError(
            f"{part.name} is missing or infinite where the columns are "
            f"{table[missing].iloc[0].to_dict()}; recode or drop such rows"
        )


def _samples_last(
    draws: xr.DataArray,
    coordinates: dict[str, list[Any]],
    equations: dict[str, list[Any]] | None = None,
) -> np.ndarray:
    """Draws in the one order that is used everywhere: the design's columns, then (chain, draw).

    Where there are equations, (equation, chain, draw).
    """
    equations = equations or {}
    for dimension, labels in (coordinates | equations).items():
        if draws[dimension].to_numpy().tolist() != labels:
            draws = draws.sel({dimension: labels})
    ordered = draws.transpose(*coordinates, *equations, "chain", "draw").to_numpy()
    columns = int(np.prod([len(labels) for labels in coordinates.values()]))
    return np.array(ordered, dtype="float64", order="C").reshape(columns, -1)
