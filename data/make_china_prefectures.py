"""Make models/dual_pilot/china_prefectures.csv from the wheel of the PyPI package cpca 0.5.5 (MIT).

Run as ``python data/make_china_prefectures.py cpca-0.5.5-py3-none-any.whl``; the package need not
be installed. Kept are the cities at prefecture level (names that end in 市) and the four
municipalities; dropped are provinces, counties, prefectures that are no cities, and the codes
without a place (counties under a province).
"""

import io
import sys
import zipfile
from pathlib import Path

import pandas as pd

TARGET = Path(__file__).parents[1] / "models" / "dual_pilot" / "china_prefectures.csv"
CITY = "市"
CORE = "市辖区"  # the districts of a municipality, as opposed to its counties


def cities(wheel: Path) -> pd.DataFrame:
    """Code, name, longitude and latitude of each city, by code."""
    with zipfile.ZipFile(wheel) as held:
        raw = held.read("cpca/resources/adcodes.csv").decode("utf-8")
    frame = pd.read_csv(io.StringIO(raw), dtype={"adcode": str})
    name = frame.set_index("adcode")["name"]
    frame = frame[frame["adcode"].str.endswith("0" * 8) & ~frame["adcode"].str.endswith("0" * 10)]
    core = frame["name"] == CORE
    frame.loc[core, "name"] = [name[code[:2] + "0" * 10] for code in frame.loc[core, "adcode"]]
    frame = frame[frame["name"].str.endswith(CITY)].dropna().sort_values("adcode")
    return pd.DataFrame(
        {
            "adcode": frame["adcode"].str[:6],
            "name": frame["name"],
            "lon": frame["longitude"],
            "lat": frame["latitude"],
        }
    )


if __name__ == "__main__":
    cities(Path(sys.argv[1])).to_csv(TARGET, index=False, lineterminator="\n")
