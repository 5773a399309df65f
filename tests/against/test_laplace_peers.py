"""Kronecker factors beside curvlinops', posteriors and predictions beside laplace-torch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra torch")

import landform  # noqa: E402

pytestmark = pytest.mark.peers
nn = torch.nn


def networks():
    torch.manual_seed(0)
    dense = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    images = nn.Sequential(
        nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 2, bias=False), nn.Flatten(),
        nn.Linear(18, 3),
    ).double()  # fmt: skip
    return {"dense": (dense, torch.randn(30, 5).double()), "images": (images, torch.randn(30, 2, 8, 8).double())}


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("sharing", ["expand", "reduce"])
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("name", ["dense", "images"])
def test_factors_are_those_of_curvlinops(name, corrected, sharing, joint):
    curvlinops = pytest.importorskip("curvlinops", reason="needs curvlinops-for-pytorch")
    kind = getattr(curvlinops, "EKFACLinearOperator" if corrected else "KFACLinearOperator", None)
    if kind is None:
        pytest.skip("this curvlinops has no EKFAC")
    module, X = networks()[name]
    for distribution, loss, y, scale in (
        ("categorical", nn.CrossEntropyLoss(reduction="sum"), torch.randint(3, (30,)), 1.0),
        ("gaussian", nn.MSELoss(reduction="sum"), torch.randn(30, 3).double(), 2.0),
    ):
        theirs = kind(
            module, loss, list(module.parameters()), [(X, y)], fisher_type="type-2", separate_weight_and_bias=not joint,
            kfac_approx=sharing, check_deterministic=False,
        )  # fmt: skip
        n = sum(p.numel() for p in module.parameters())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some versions work in single precision
            matrix = np.asarray(theirs @ (np.eye(n) if not hasattr(theirs, "to_scipy") else torch.eye(n).double()))
        ours = landform.kronecker(
            module, dict(module.named_parameters()), X, distribution, corrected=corrected, sharing=sharing, joint=joint
        )
        np.testing.assert_allclose(scale * ours.dense(), matrix, atol=1e-6 * np.abs(matrix).max())


STRUCTURES = {"full": "full", "diagonal": "diag", "kronecker": "kron", "last layer": "full"}


@pytest.mark.parametrize("method", STRUCTURES)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_posteriors_are_those_of_laplace_torch(kind, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        laplace = pytest.importorskip("laplace", reason="needs laplace-torch", exc_type=ImportError)
        from laplace.curvature import BackPackGGN

        torch.manual_seed(0)
        X, new = torch.randn(60, 3).double(), torch.randn(7, 3).double()
        y = torch.randint(3, (60,)) if kind == "classification" else torch.randn(60, 2).double()
        make = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3 if kind == "classification" else 2)).double()
        loss = nn.functional.cross_entropy if kind == "classification" else nn.functional.mse_loss
        f = landform.from_torch(make, (X, y), loss=loss)
        land = landform.landscape(f, f.point)
        noise = {} if kind == "classification" else {"noise": 0.6}
        posterior = land.posterior(method, prior=0.7, joint=False, **noise)
        ours = posterior.predict(new)
        theirs = laplace.Laplace(
            make, kind, subset_of_weights="last_layer" if method == "last layer" else "all",
            hessian_structure=STRUCTURES[method], prior_precision=0.7,
            **({"backend": BackPackGGN} if method == "kronecker" else {}),
        )  # fmt: skip
        theirs.fit(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=60))
        if noise:
            theirs.sigma_noise = 0.6
            mean, covariance = (one.detach().numpy() for one in theirs(new))
            np.testing.assert_allclose(ours.mean, mean, atol=1e-5)
            np.testing.assert_allclose(ours.covariance, covariance, atol=1e-5)
        else:
            np.testing.assert_allclose(ours.mean, theirs(new, link_approx="probit").detach().numpy(), atol=1e-5)
        assert posterior.log_evidence == pytest.approx(theirs.log_marginal_likelihood().item(), abs=1e-4)
