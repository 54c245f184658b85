"""Make models/dual_pilot/china_prefectures.csv from the wheel of the PyPI package cpca 0.5.5 (MIT).

Run as ``python data/make_china_prefectures.py cpca-0.5.5-py3-none-any.whl`` with pypinyin 0.55
(MIT) installed; cpca need not be. Kept are the cities at prefecture level (names that end in 市)
and the four municipalities; dropped are provinces, counties, prefectures that are no cities, and
the codes without a place (counties under a province).

Names are written in Latin letters by pypinyin, but for those below; cities of one name carry their
province. Regions are the three of the National Bureau of Statistics. Resource-based cities are
those of the State Council's plan of 2013 (Guofa [2013] 45), as far as they are in the package.
"""

import importlib
import io
import sys
import zipfile
from pathlib import Path

import pandas as pd

TARGET = Path(__file__).parents[1] / "models" / "dual_pilot" / "china_prefectures.csv"
CITY = "市"
CORE = "市辖区"  # the districts of a municipality, as opposed to its counties
PROVINCES = {
    "east": {
        "11": "Beijing",
        "12": "Tianjin",
        "13": "Hebei",
        "21": "Liaoning",
        "31": "Shanghai",
        "32": "Jiangsu",
        "33": "Zhejiang",
        "35": "Fujian",
        "37": "Shandong",
        "44": "Guangdong",
        "46": "Hainan",
    },
    "central": {
        "14": "Shanxi",
        "22": "Jilin",
        "23": "Heilongjiang",
        "34": "Anhui",
        "36": "Jiangxi",
        "41": "Henan",
        "42": "Hubei",
        "43": "Hunan",
    },
    "west": {
        "15": "Inner Mongolia",
        "45": "Guangxi",
        "50": "Chongqing",
        "51": "Sichuan",
        "52": "Guizhou",
        "53": "Yunnan",
        "54": "Tibet",
        "61": "Shaanxi",
        "62": "Gansu",
        "63": "Qinghai",
        "64": "Ningxia",
        "65": "Xinjiang",
    },
}
SPELT = {  # by code: names of other languages, and characters with two readings
    "140400": "Changzhi",
    "150100": "Hohhot",
    "150600": "Ordos",
    "211300": "Chaoyang",
    "230100": "Harbin",
    "411100": "Luohe",
    "540100": "Lhasa",
    "540300": "Qamdo",
    "540400": "Nyingchi",
    "650100": "Urumqi",
    "650200": "Karamay",
    "650400": "Turpan",
}
RESOURCE = """
130200 130400 130500 130700 130800 140200 140300 140400 140500 140600 140700 140800 140900
141000 141100 150200 150300 150400 150600 150700 210300 210400 210500 210900 211100 211400
220200 220400 220500 220600 220700 230300 230400 230500 230600 230700 230900 231000 231100
320300 321300 330500 340400 340500 340600 340700 341100 341300 341600 341700 341800 350400
350700 350800 360200 360300 360500 360700 360900 370300 370400 370500 370800 370900 371300
410300 410400 410600 410800 410900 411200 411300 420200 420700 430400 430500 431000 431300
440200 445300 451000 451100 451200 510300 510400 510500 510800 511300 511600 511700 511800
520200 520400 520500 530300 530500 530600 530700 530800 530900 610200 610300 610400 610500
610600 610800 620300 620400 620600 620700 620800 621000 621200 640200 650200
"""


def cities(wheel: Path) -> pd.DataFrame:
    """Code, names, province, region, type, longitude and latitude of each city, by code."""
    with zipfile.ZipFile(wheel) as held:
        raw = held.read("cpca/resources/adcodes.csv").decode("utf-8")
    frame = pd.read_csv(io.StringIO(raw), dtype={"adcode": str})
    name = frame.set_index("adcode")["name"]
    frame = frame[frame["adcode"].str.endswith("0" * 8) & ~frame["adcode"].str.endswith("0" * 10)]
    core = frame["name"] == CORE
    frame.loc[core, "name"] = [name[code[:2] + "0" * 10] for code in frame.loc[core, "adcode"]]
    frame = frame[frame["name"].str.endswith(CITY)].dropna().sort_values("adcode")
    code = frame["adcode"].str[:6]
    region = {two: key for key, held in PROVINCES.items() for two in held}
    province = {two: text for held in PROVINCES.values() for two, text in held.items()}
    of = code.str[:2].map(province)
    latin = pd.Series([SPELT.get(c, spelt(n)) for c, n in zip(code, frame["name"], strict=True)])
    latin.index = frame.index
    twice = latin.duplicated(keep=False)
    return pd.DataFrame(
        {
            "adcode": code,
            "name": frame["name"],
            "city": latin.where(~twice, latin + " (" + of + ")"),
            "province": of,
            "region": code.str[:2].map(region),
            "resource": code.isin(RESOURCE.split()).map({True: "resource", False: "nonresource"}),
            "lon": frame["longitude"],
            "lat": frame["latitude"],
        }
    )


def spelt(name: str) -> str:
    """A name in Latin letters without 市, with an apostrophe before a syllable's first vowel."""
    pypinyin = importlib.import_module("pypinyin")  # of this script alone: it is run once
    first, *rest = pypinyin.lazy_pinyin(name.removesuffix(CITY))
    return (first + "".join("'" * (one[0] in "aeo") + one for one in rest)).capitalize()


if __name__ == "__main__":
    cities(Path(sys.argv[1])).to_csv(TARGET, index=False, lineterminator="\n")
