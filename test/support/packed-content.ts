/**
 * The first 150,000 bytes of `layerContent` and the next 50,000, compressed by real compressors in a form that both
 * runtimes read: node:zlib of Node 24.21 (zstd 1.5.7, levels 19 and 3, with checksums; zlib, level 6).
 */
const decode = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

export const compressedLength = 200_000;

export const zstdFrames: readonly Uint8Array[] = [
  decode(
    'KLUv/aTwSQIAlC4AKnBUDgvQDyRJkiTJBwAoD+EA4QDhAEM3UPkj/voRmDdmDyRAxakQR7KaZSdyK1VIFAVMjb0OGVNe14IZfKPS' +
      'ymhl0wVybErUR9PaXu0vOLWH3uml5xyJnvdANTzK43rEB6IWJnlyrCqb4mjz2Hbai8TwryoXO5BayQHiZa049SUhgX8w5Tyif1a1' +
      'ChXQJNkVmkK8cgfr+YrQPG2OTNcf67y7wv1uUMDZsiGg6erQf0ZV8tnEpm5GEiury+qtnqx3msP4iCHUuQenC5OILWoEKTp8uMQZ' +
      'Wks51fUYcaJeVUObITaldr7ibkgLDfGVyO5KPCLE47o9GWjeY4wQWbwG8cZEuSOGJXl/DI7SACaY8n9RS7MSv9adb2H3G0CFqUe9' +
      'hnxwTJi8sT4ZGh3n9RHnfUMazL3GvL+8DmitSOLl8k5jhojOfsSP1Up15C+bLIA0cpK8kiUZII4zZHIjyxsgh9d0gm8Pu5rxybn0' +
      'zx8Mr99OCs+MchNWDlfykMO8P9NKnIFCPSjLfP0s/py4ZJaKJr15VpoPRuReh8tHBcBh8Py2pAYzucdc2eaoDmq5UPY7enG7brTo' +
      'DTyN/JZvC2L1FWSmJV+X3x1bJO40u++GwaDrW3jousA2FKkaesOtxR23cTyUH4Zt0AUP7BWZzFxnhginMpCr2zOrRpLTZRFntfKU' +
      '3Enhmlc1gKx0n8suaxtGEpRTWWgtUhtu+g2aiCDRECqu5jQz5JBLV5XOvLcwrohGRoOM1fGJQo/E2+P/LxpVTMaLSSWf4oggN26H' +
      'xYCSCEtyvxpA+GcIqdoNKzvBtHfWk8UbxkV2eKSw9pLLD5SJM+hA6uAv/eL6CazoeczmTs9FeV8JD8MD08fkER5r32CJSMgRtRk5' +
      'sgNDR7+HI87XCtTUjtum6ywOZiyRvTu6mm2rEkt/g5FwF7T1lzbDrzGmfV4r7drsuVKcDx7ZjZTFtXnowUKxZ3h7fdjY/pHduiRA' +
      'KnyWRCP30OyK2Bpx71DbR72XY7hdcou8QVp8wFYD9QRx/VhncnF0U6M6CAoQxP5bVmlKxNbUzYKhwMOhqCOepn1aBAkVHcIH9YA0' +
      'zWCzgbML0A7YV7jYE2tWhR2PWYOO+B3tCfC7C2BOWwF9/7B5VI33hgYB9fX01fJ2V9GvSAwbhn1z9XWl1pz13MOut7aUaVHyaHHJ' +
      'SyFHqhlhS3kgiYcZzTxbkDYPiRZ7yoXFIURxwfW9kU0bgJ2o0ff/as0RPMKBqEOMaQ8SSBB4BIF/BIHfgSAECANCtHIP2DH4pS52' +
      '3yBEgJGbZxA6yppMYMg6Qb/E2TKPZmCwVq6ubBfNFglUcw1ryWEgDQ4nPcB6chGsXuNuQ9E1CTihawQ/3YWlXIIF3332dGYvNozN' +
      'dq6ZsBCRl48lBmFPEZ6ZVYqx2GMHgXAbTqKfw9h4/eOh0m8+936Y28dhgveY44xlefHkZW5y2jE5bfL1hYpM0p3VjF8GtCRDJrO9' +
      'cckG2V7Kg/wnATU6KViHUh4g5P8xbkB9sMvKhBNpRAjarWZlm/FkFv+CWbNQv95fl3ebkRds/f5b0BlFU/QI6MJMI06ITyp5FbrR' +
      'nfMuN3g+L4Fx221cKOS4/dQXKyYYcgR4LBJmPGgNHiNEBLYDERKByyi1AYa5FBlLq6R2nKdeqqzBFdKbb43GawXwQKvk1YItnEje' +
      'hyn6mtUQB61OOL/eppjuNzZR00sfD9DlEhPshMH8o1HgokdIci44HGjluPgce0N3ert0Ept8NsSUNW1gW9bCFYvD4HGSSj/vlRWZ' +
      '2/5NYVWVkhlzDCDPMDYX2Utva8RoRAcnntrV6x/OgYwJfD2Gw6KZNdwv3Okhw0O+xBNwYF7d4UoCQ2ubYgeMjfATTjaay0uGVDGF' +
      '0FkGx5tGvdnFm0foBAhfCQyzfj+7JFRgHDlQCxHSwTurJD1Z6dBWjbYWMPv0q6CMlAknAmsgDoEF/DioiTqn35KuBt7mK7qy7QNA' +
      'VAHNBgADShTGyJ1ldXpxmmWfNFAYI7XirK9hRzOkRRmrtK+8TPHz8Tl8oUle6AW1T88EpT1kOeoZVsGQgHkvkgpcoWOsS5muZFvE' +
      'CUuDptkAtVpuTGzZMAEgiJEv/98WAxH8/+8QvEPo+F4PaMgWNYBXyCKxx+hyiCXc70jRvvAU2/LoB8NmfeVHuoTdXX6IrsFIiNss' +
      'I5CIIlK/QE7khhoozS+RTIRVNYFVua0p5fEZQO3NZK4IAhhQTm60A7sx4CRUiDifpoUIapi7BDFLm9e0VpJFIXVdeMGn2AXQ7OMe' +
      'DA==',
  ),
  decode(
    'KLUv/WRQwtUtALpwaA4L0A8kSZIkyQcAKA/iAOIA4gB7zJVtjuqglgtlv6MXt+tGi97A08hv+bYgVl9BZlrydfndsUXiTrP7bhgM' +
      'ur6Fh64LbENDN1D5I/76EZg3dxX9isSwYdg3V19Xas1Zzz3semtLmRYljxaXvBRypJoRtpQHkniY0cyzBWnzkGixp1xYHEIUF1zf' +
      'G9m0qRp6w63FHbdxPJQfhm3QBQ/sFZnMXGeGCKcykKvbM6tGktNlEWe18pTcSeGaVzWArHSfyy5rG0YSlFNZaC1SG276DZqIINEQ' +
      'Kq7mNDPkkEtXlc68tzCuiEZGg4zV8YlCj8Tb4/8vGlUcA9PH5BEea99giUjIEbUZObIDQ0e/hyMeU158rUBN7bhtus7iYMYS2buj' +
      'q9m2KrH0NxgJd2jeY4wQWbwG8cZEuSOGJXl/DI7SACaY8n9RS7MSv9adb2H3G0CFqUe9hnxwTJi8sT4ZGh3n9RHnfUMazL3GvL+8' +
      'DmitSOLl8k5jhojOfsSP1Up15C+bLIA0cpK8kiUZII4zZHIjyxsgh9d0gm8Pu5rxybn0zx8Mr99OCs+MchNWDlfykMO8P9NKnIFC' +
      'PSjLfP0s/py4ZJaKJr15VpoPRuReh8tHBcBh8Py2pAYzGVBfT18tbwFNkl2hKcQrd7CerwjN0+bIdP2xzrsr3CqW+gPIPx6toYG+' +
      'vMuRfm8sTsaLSSWf4oggN26HxYCSCEtyvxpA+GcIqaqMVjZdIMemRH00re3V/oJTe+idXnrOkeh5D1TDozyuR3wgamGSJ8eqsimO' +
      'No9tp71IDP+qcrEDqZUcIF7WilNfEhL4B1POI/pnVatQ3bCyE0x7Zz1ZvGFcZIdHCmtv9kACVJwKcSSrWXYit1KFRFHA1NjrkDHl' +
      'dS2YwTcqLbn8QJk4gw6kDv7SL66fwIqex2zu9FyU95XwMBwZGtGozsjwTOaGimsBKLQyS/9dCGnak9+cfN5FZcmthSPNPkzLCyrz' +
      '3NJcxKGoI56mfVoECRUdwgf1gDTNYLNh3XjfKK2mmc1GxvOOfdriypXPVes4uwDtgH2Fiz2xZlXY8Zg16Ijf0dogIPsZUL6zcSs9' +
      'ULnDoFAjFMn/7wYFnC0bApquDv1nVCWfTWzqZiSxsrqs3urJeqc5jI8YQp17cLowidiiRpCiw4dLnKG1lFNdjxEn6lU1tBliU2rn' +
      'K+6GtNAQX4nsrsQjQjyu25OeAL+7AOa0FdD3D5tH1XhvaBABgJiocStI+R8FGsYgwiMEKXZ3EkggCCAQBAqCPyG4QQgSAoQAQiAE' +
      'goBGjW8iYQukyuiCgSUBpipTQA01ytjmL7f+JV0n03WkuhldCGZiblMwrJg1qJHhylJDHsg30pUR2mFsyqbyzAbSUQzhIH9yQcja' +
      'CBeBQKNhIyRMDPeRHPdhhQaTUBT3W0vGQOAaUkmRAaMdAIUXyE8GL5dIwTQgM9yX4Lp61ApRgcqSqXnlG9JIdfP/oKkbVDQVzwgR' +
      'zlAHsRtIMxjGlGQa+dAJpKnmG1YD0oQnX4z+MoWA8oxBk0sxQlh1EykU/PuQOxQTQ/Q7E05dVvuZk0F9pVLCDgXmUptLhORYjhIu' +
      '2NBjgeQmZgR+ihwrWuDYjK2Lzdp826k2pNwi/2pQBg/45h/8vhnGmbS3H6I22QH3fiRupoSIMnZCakSZ1fkva7ppAZNzuGjxYPhN' +
      '+3iRIOfPslAlpxgj7OMl0YMZa7GkqOIC4x/y9Y04AacTyrM45n5z3jk+CbIiH2rDaw512RAlM+xQFuPDxJOcFqFL3Fwyype4SdJn' +
      'oC0z8NijVoiDxWkSD91wM28E2uBNmu2EXuErWiD7ApbvAGjPof1TimqLz5WCAMYWMB5veZ4pZ6vL+DL7YN3O/jJOdC+T/F+eUhFc' +
      'S1BXaxr1WxHqgQKMl3LcPzVHoEBggOQJK1SO76b9Fk+TbISB8/Mw3HI1+5ed/6CttKsCkeiHmw==',
  ),
];

export const gzipMembers: readonly Uint8Array[] = [
  decode(
    'H4sIAAAAAAAAA+2dyZLltg5EvxUkAYIYSP7/yiGv7PfCDnd1DZSUa0c7bkHAyUxQg7UZvlpyrS3Z18phsgtNCh59rRpLu0vrtVhw' +
      'E5HlVUsZW6Y04xAvlhxDs3k14u51jmGNwpU0bHItY+yRzVzV05bP5RkeNUrl3pf35Gm7inDXPWn5Mqdaok5LEuprz6wRkSvKnso5' +
      'Vp8tJw3ftoJUayRX8yLTKk8qQh4iXbfXlksa6R6llipb2vDZZVUqaeJGLYpW970pecR07XPs1seqFtU9tarVXrpX0mS9auUtmzBt' +
      'tTWs5FKXZXMNDWmj7jVlTZ+NdTJ7T60ks3XpI31Wb5rFRp0qS1oxWjHH5CQpzEOkhtaqXcyjshZyS2GqTLv3pjZK2b5XbduEmnLj' +
      '1pPC19AhscIpy+hrRzReq7JEmXObyq7ivXORLb1S9G1955gtaa4R3FeEFvUWuwuFdaflV51NMjWsNerO0Xdu6iWJhDVjqKzF3Gmb' +
      'S1eLWftw651jWO5Vc0/NjDra5DquTvHZ2o7MZrSrKC3ppWkdmZuc19y+KcvOvTksbRfzCNp9j6o8dWilEhm1ae3c2riupFWxGmlV' +
      'a+NBNS3qXqzCPmXsZF25xhi9N167LlmVrzYYtCLj+jU9ZmZxbjqXlrJlaZnFi7UVJdIGp5Lm6DFZ3YYwldjaS982Z49dajQOKbp3' +
      'tVE70axjUepWqzJ6bWHM2XehHilWaGRvc/WhSlZG081Rqkef5uEtYlqp2Tutmiu8zxhr8mTyqfln66zahsZm5UYtarNiIaXk4DGs' +
      '09w9yiplceps1LLRJpOtxpKb1+qZVwd7km1fdc+6Fy1nWqO1Yca0M6zuHuSsQztL9nL9+Da7anCWFjVoTnej0XUPpuKxtXLQsDoo' +
      'ZWhfTSuNa6B2FbYR2TlFite992ozksfmOmyXKSNH4859DF+NQiNzmYhyGC1urfHqvqoXmuX6v5rT3N5XCal19iF2UekCS4kedWXY' +
      'VvYc1ETUfBW2mca7hnQtpctsVrl7tIuEYdSqK129opKZZkVW0iaZ1OfoZRu31BJaZorPbOrF3YKnlZhbsmhhriVlSLpG6cNot24k' +
      '0TJnsaHDKqlx9FLMnbUWjjQtfewqpdv1n0J9ZZu5xXJ2F5Ut2vT6CXGhyvcsotp3nbJ5yxYq1EffOqawWtDeeqEweHWiiNhEtgy8' +
      'B+/Be/AevAfvwXvwHrwH78H77+A9UAwUA8UfQzGICqLCQQPbwPatsA0HDd7/NO+BBCABSAASYAFhAcH77+I9oAloApqAJqAJkwze' +
      '4+QJKAaK74RioBAo/FUU4oIfeMGRdSCwfxNYVAN241PsBtoEbYIFAVwxTBJMEngP3oP34P1feI+inCqCYNFHWTTL3GOs0cTGLnOI' +
      '9B6lzRFDdA5a85L7NqDX0Os3zgj4fgLfEXIATUDzNtBEyPlK3qNN0aZHtCmqfh4cYAbxKBlADCQACciHyIfIhz/Be5QMEgmJxLnh' +
      '+b4BLMK5ISwO9Brnhs/k+6fmQkAD0MAzA2iTr9CWEq1TzusfbyHNWmYRMmJxnd5t1ebDS57LVKzBMMeYY7wLGS4VpxfANrD9Amy/' +
      'ahV/n2uD1ST4BX5hNfki0/fN0MBwY4UIDbizBrzTw0K+zpQv7CzAe/D+03iPKcQUYgp/egqRvGFdAE1A8xRo4uHHM0UBURx6Bj2D' +
      'nkHPHsF7lAwSCYl86cOPh1IZJMdSFX4Kfur+U4ilKkIooAlongJNLFV/XxSQ2qAp0BRoCjTl3kYcW7r78v7bi4LBwkNtEB+ID7ZA' +
      'Zzp2tDHa+AFtjOAJ7Yf2fwCa2HJiywmxgdhAbJ4oNg/kKzaaYPuj2Q7LBSR8OxKOUSy0LHZKkALY/N+z+QgWf8H0My/xwQWHLh6l' +
      'i3j9OpT5ScqMtkXb4jssMAIwAjACIOqLjcC52H7MX4JpufUL7CHytxB5eEG0Cb6tiUyHOcYcI9N9cqZ7xg0KSMFH+3qkYAgd7kfF' +
      'zWdg++PY/rfxxw1t6CX4BPgEBGJ4B3iHN/EeKAaKgeJfQvHnoxAPloDL8OGAP+B/PPzhw7+S92jTL25T6Ch0FDoKHT0WUNBR5Cbw' +
      'HrwH78H7u/AeVT5QVX/5l7QkL6PmnDx7XhAy6RJ7JRcip9HcmzQ94887zDQ86W/5MgP0Ak91N0pgh3U/y3DSSJ82f8g0yDTINHDb' +
      'D9DRf7VwaMGbflvsw9UGn8Cn+/Dpfl90vENRjjDp8EqvEKo/88TPd9sP3Lb9IrywFq1dZeyphXgLNelJmuJcIkdolRkDIvdgnv/u' +
      '0gXvS0Ob4H1p2E3hfWlokxNsOd6XdgtJ/c9zfGqau+tmCYzBc4b/6F8xRF+dXO/Rs/dcV73ZOyKX3vuekTuw68StGyqAwcXNXm9T' +
      'O2xKEHnBe/D+t3iPfkW/3qlf4U/gT+BPHrBlBTQBTUAT0PxxaJ4f6tAz6Jk3BSu0Kdr0iDZF1c+DAwLExz/xA7/wQhADLoALthPY' +
      'TvzPdgIjhBHCCN1mwQejdbzRgj0C238le70FXciN/w1nMBAwEE+dQlzSx13S+4D133wi7N4/2D0YZBhkLD/gXU4QuuNE7XcWDnhu' +
      'GWMB/3enO6XhBuAGgD1g72XYQ4QCNAFNQPPt0PyWM2WcWN9QTV5VlEMBBujh5BnWA9bj/lP4wLwGU/LUiIsEjRdeYirwrnsYoxca' +
      'I+Adw4hhPGQYvzyloGQ33SnDSmLr+3Vb39ctMx6dQeCt4K0+11thqO831L2ZXu5khtDaWorPq2w5aV+2iK1rVr/8A9AD9ByLHmQU' +
      'ZJR3W81vLwoGCw/ofL74VA6f08pec8yhU0NH1yhcs6yhFpJiPOYBfgR6DD3G59zRJsd8zh1JBiPx3JHAARXCH8LfIeHvzAMqPJZw' +
      'cyx90mZ4Wlm0LaWGrZy+Zg1Zl3FqxXe21k23XGtgcO/IEX/lUQw+3gArBCQACTc890T8R/w/CeD/QkF00o90EqzO708K7AbsBuwG' +
      'DiegKfd2J4iX9+X9/xcFSgIl+VwlgXb9RbueeYkPLjjMwplmAZqPjPdlygzKgDKIJMDToXhCcICrBO9vxHsMDAbmvgMD2cIUYgq/' +
      'eQrhXn8eAweln0OHFIMNeYW8Ql7vP4V4Xx9WaYAmoHkKNN91hzA6H50PuwC7ALsAuwBowi48RhR+8E4SXG+YAJgAmADct3+A7Xjm' +
      'JT644A/1eXfVxS+4b/+1YMXUYeqOTx/vu4+dpvXk7Es8hGia99E4yJIlOvu6XKcnzO6NmXyTSITM9y3flr4Pm150wcE9eNG/eVFU' +
      'A84c3zJBmyDAIcB9gUmChYGFgYWBNt1Cm9AmaBNYGFgY7Hk+ZpJQAvhESB4kD5L3VMl75Ifj8XF3CAQE4hyBeD1lnxcsvhkaGG7s' +
      'xaABd9aAbwwJvXmRJLdat9ogoyzSiy1v1rlNF+LcvENI1pDF5kWz2S677cIZ6TvYoxiLX/BH76J3EXAfar2e48mw6YSJgRD8hhB8' +
      'esnQiGjEuzxfCGPx9p3OD/oHtO1ntS3Iiyz41t4HshH54LTB+5+MfM8v2QckEsfF0CnoFHTq/jrF2otvz1VDaitDqLHtqzDX71Tp' +
      'YjNHdvTe3XrvrD67kbgj//6qr/gD6aB+JvBJAgA=',
  ),
  decode(
    'H4sIAAAAAAAAA+2d244rNw5Fv5WixDsp/v/ToDIYDIJMkDmX5NhuPrvbLkvca2+yVHASLcfuvrsij/ZBtV5FmroPH1b1uyEkMq8R' +
      'yQmDe/be57Jf9AW1EFTNodr5riDEYiWjbWfh4RUceDOs5XgqbCIxv+tYpZ3GIJa1mGobHvbYu8LDYKMLqDILZabZopvQQAVcyqvt' +
      '7JQVsirJK7f4crc4ZSuqKZesc3AlKaVLLFaD3mxAsTNrmYoagtgJXsvcj+A6kSaLtZEW2/NSiN/clU2WxU5CTbLluYSAPOpdi0S2' +
      'mK7V3hd3G8GWs8/mhPCrohQ3HHIp347Y5148FKuqTaiRnPksamKE4Dbu1NoJdTUO3whZ4juaCcLY4bpeLqNMCdsb2E9wZwOvBKAj' +
      'GSp07zkMbU4sFoWsbswn1LIvZpdkBuqug7osj9feHZnboJEELvHagprZ4OdWe0Ouzu4TltbLPAKaW1FOiQrCigzcgnz21ouwDMkw' +
      '0lBwHwVMC+x7hI4XaeeRm1efbd7nNl66eNSLFW5kPFfDUZnLz5a6slbTlVXLl+0bK9L0pICkctQRN6UDK1p4cVsVRy+MfYKWdKMp' +
      'MkChXkhpMSRl3GHnJPcCjiRboMm7LqsI2NItfWKhB5d5+I4oW5jMcDFvOFforVMHvCTp0l4Xt0r0kbNhB25bFrRW6lE1hmqOdde6' +
      'J6U27NzQYNRih7LPvZwpdtUTrP1iF/aF6weu7q1mBzrDsNC35DLFkt8+1+BGaZ0EWucoEYYgCpN54JEFbkkH8EAzT8m+Qsl+z743' +
      'B/gRFT6UvJ6i3cUicXLtwIAqAg8ilnbceWmDtC5cSE37uVh6vmkaucGOJeje/eAsyoVLe7NetED3FBRDXuwIkkf87vSdmw70c7G2' +
      '8orTtboqQVuxb9Etr32kznFOQaDaTKzpU7NTs39Ss+4GytJ6YHm04AlQQ4UkFb5bnqBx0RrpmEbyyZeOLxeTW66tjMi4unx5rbv7' +
      'eZv+rbTcGL0SIyJvrC45+byws0C97QaIYORB80VleArWaHu0/b3aniWb1PmDqfOjSP5Ri/IpzTQ3FvVpaoIFrNyiRUcsoFseB4xz' +
      'GSAiGsCuPd/y7jyIO4/fm2rUCwriKN+LcYWdNuOyOJuIrqOspU31VEeQPyQKldyOBocdS9U2hAtIWB1cqq25zUU87Xpdz/DAeEqL' +
      'r3OeeraODksXXL/mgCuwLIGAb4/Nj82/v2fNuk/rNJPfP5jV//kJ41TjVEPM73Oqn9Ukdaetg5vAIXc8G1sYsmLHJVjWgYBQPoT+' +
      'KEJPOzGQHkjP1PDlfG2mhm9nkV9qUf6Cyn8B1aHB0OBNC//LBubJVIOEOcw2JTvT7X/GCj6z7Z/+9K21/MXs56Mw9A6LMmPUGaN+' +
      'LHNnlcaZ3gHCn+9MI6xvE1atatWrm0x7lRIxx9qloSSlcOu5Ubr1bSz6xdd7QPaeIPu4oe+ckph4/+Hx/gZRtlH6xXIpvb2TD2eZ' +
      'OXuh1lP0Nf7+Rv4+Gv0ojf5qjUyw+bhgM9AYaPwRGuMtUyY/7i0rNkPW889NIImrFoHBIZdytovb1Ve+LlNfto8bkXyKSGYo9tWy' +
      '4y9eg6m8L1t5L+iwcwZ3zGiQMEiYOzQ/Ov0dEY2IRkRzC2U6+HkY/L9LNkIaIb2jkKb7+H1w+o/dT7HM4Y4B6gD1Yw53jAhGBF9e' +
      'BDPTmJnGJIeB5ntC84u1YsP7m0OJV6LEqHhU/LKpbQLVoPJ1UPkWgWpQOCj8VhTOhr/ghs/E4m0M9tsI/6IuM0/cTDFPWvxiafGn' +
      '/wjQx4XOmVh8udQ2tjC28PNt4XcvzHNJP+6HM0z+emiehnrM5iXN5gP5+j/7jSmTseY5KfJ5sWDK9G8u04lb/45b7xK+Bg7TM8wt' +
      'hclpY4BzS2GIOlOYF8T2x3yTD1dLYWVvdIiMk/tm4dbn74zpUF1Jy2rbY8xjzPN84hsLfWzxBcxkoDnQnKnze7RBU6Z/R5k+p3VB' +
      'qZ7L3RgHFRaHuvLlkw2peV1r/Sl7hsRD4vktkCmTtyfhGPY0aNOgTYM2vH9/3s9TroPVF8fqr16Wf5i2Q8VplsY838I8p1kaVx9X' +
      'n2ZpeP91eP/CKvzmjfoXJ3h3YFDDAAA=',
  ),
];
