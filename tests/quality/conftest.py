import warnings

import pytest

from ecluse.quality import gx


@pytest.fixture(scope="session")
def gxe():
    return gx.expectations()


@pytest.fixture(scope="session")
def suite_of():
    def build(*expectations, name="suite"):
        return gx.module().ExpectationSuite(name, expectations=list(expectations))

    return build


@pytest.fixture(scope="session")
def great_expectations():
    """GX itself, by its public way: a pandas frame as a batch that validates a suite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.module().get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("frame")
        whole = asset.add_batch_definition_whole_dataframe("whole")

    def validate(frame, suite, result_format):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return whole.get_batch({"dataframe": frame}).validate(suite, result_format=result_format)

    return validate
